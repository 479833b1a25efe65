/** A chat template that an operator named: the path of a file, or the template itself. */
import { basename } from 'node:path';
import { SourceError } from './model-files.ts';
import { templateOfFile } from './model-facts.ts';
import type { TemplateTexts } from './model-facts.ts';
import { readBounded } from './read-path.ts';

const MAX_TEMPLATE_BYTES = 4 * 1024 * 1024;

/** Rejects with a SourceError. */
export async function readTemplate(given: string): Promise<TemplateTexts> {
  if (/\{[{%#]/.test(given)) return { main: given, withTools: undefined };
  // Whatever is read here may be quoted where it cannot be compiled, so that nothing but templates is read.
  if (!/\.(jinja2?|j2|json)$/.test(given)) throw new SourceError('the chat template is no .jinja, .j2 or .json file');
  const bytes = await readBounded(given, MAX_TEMPLATE_BYTES).catch((thrown: unknown) => {
    throw new SourceError(`the chat template: ${thrown instanceof SourceError ? thrown.message : 'it cannot be read'}`);
  });
  if (!bytes) throw new SourceError('the chat template is no file');
  return templateOfFile(basename(given), bytes);
}
