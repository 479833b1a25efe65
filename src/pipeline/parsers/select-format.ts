/** Which of a list of formats a model writes. */

interface Selectable {
  readonly id: string;
  readonly models: readonly string[];
}

/** The one that is named, else the one with the longest part of a name that is found in the model's id; of equal ones the first. */
export function selectFormat<Format extends Selectable>(
  formats: readonly Format[],
  modelId: string,
  explicit: string | undefined,
): Format | undefined {
  if (explicit !== undefined) return formats.find(({ id }) => id === explicit);
  const name = modelId.toLowerCase();
  let best: Format | undefined;
  let length = 0;
  for (const format of formats) {
    for (const part of format.models) {
      if (part.length <= length || !name.includes(part)) continue;
      best = format;
      length = part.length;
    }
  }
  return best;
}
