/**
 * The value of `--chat-template`: the path of a file, or the template itself. Looked at when the option is read, because a
 * mistyped path would otherwise be heard of with the first call. Reading it is for `tokenizers/template-file.ts`.
 */
import { statSync } from 'node:fs';
import { bad, good, type Kind, show } from './option.ts';

export const chatTemplate: Kind<string> = {
  accepts: 'the path of a template, or a template',
  placeholder: 'path',
  secret: false,
  choices: [],
  read(raw) {
    if (typeof raw !== 'string' || raw.trim() === '') return bad(`${show(raw)} is not ${chatTemplate.accepts}`);
    if (/\{[{%#]/.test(raw)) return good(raw);
    if (!/\.(?:jinja2?|j2|json)$/.test(raw)) return bad(`${show(raw)} is no .jinja, .j2 or .json file, nor a template`);
    const problem = problemOf(raw);
    return problem === undefined ? good(raw) : bad(`${show(raw)} ${problem}`);
  },
};

function problemOf(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? undefined : 'is no file';
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'it cannot be looked at';
    return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
  }
}
