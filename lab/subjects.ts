/**
 * From the words of a user to policies under test: `least_load`, or `cache_aware:option=value,option=value`. Every policy of src/ is known, and the yardstick of the laboratory.
 */
import { policies } from '../src/routing/policies/index.ts';
import type { PolicyDefinition, PolicyOption } from '../src/routing/policy.ts';
import type { Subject } from './replay/subject.ts';
import yardstick from './yardstick.ts';

export const YARDSTICK = yardstick.name;

const known: readonly PolicyDefinition[] = [...policies, yardstick];

/** Every policy that users have, but the one that is for a single worker. */
export const usualSubjects: readonly string[] = policies
  .map(({ name }) => name)
  .filter((name) => name !== 'passthrough');

/** Throws RangeError with one line that says what is wrong with the word. */
export function subjectOf(word: string): Subject {
  const [name = '', ...rest] = word.split(':');
  const definition = known.find((policy) => policy.name === name);
  if (definition === undefined)
    throw new RangeError(`no policy is called ${name}; there are ${known.map((each) => each.name).join(', ')}`);
  const values = Object.fromEntries(
    rest.flatMap((part) => part.split(/[,;]/)).map((pair) => readPair(definition, pair)),
  );
  return { name: word, create: (deps) => definition.create(values, deps) };
}

function readPair({ name, options }: PolicyDefinition, pair: string): [string, unknown] {
  const [written = '', text = ''] = pair.split('=');
  const key = written.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const option = options[key];
  if (option === undefined) {
    const names = Object.keys(options);
    throw new RangeError(`${name} has no option ${written}; it has ${names.length === 0 ? 'none' : names.join(', ')}`);
  }
  const value = readValue(option, text);
  if (value === undefined) throw new RangeError(`${name}: ${text} is no value for ${key}`);
  return [key, value];
}

function readValue(option: PolicyOption, text: string): unknown {
  if (option.kind === 'toggle') return text === 'true' ? true : text === 'false' ? false : undefined;
  if (option.kind === 'choice') return option.choices.find((choice) => choice === text);
  const value = text === '' ? Number.NaN : Number(text);
  const most = 'max' in option ? (option.max ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  const isWhole = option.kind === 'whole' || option.kind === 'bytes';
  return value >= option.min && value <= most && (!isWhole || Number.isInteger(value)) ? value : undefined;
}
