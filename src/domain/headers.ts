/** Header lists as they travel: names and values alternate; names are lower-case; a name may repeat. */
export type HeaderList = string[];

/** The first value of a header, or undefined. Cost O(headers). */
export function headerOf(list: HeaderList, name: string): string | undefined {
  for (let i = 0; i + 1 < list.length; i += 2) if (list[i] === name) return list[i + 1];
  return undefined;
}
