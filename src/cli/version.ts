/** The version of the package that this file belongs to. */
import { readFileSync } from 'node:fs';

/** As in package.json, which is two folders up from the source and three from the built file. */
export function packageVersion(): string {
  const path = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json';
  const content: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const hasVersion = typeof content === 'object' && content !== null && 'version' in content;
  return hasVersion ? String(content.version) : 'unknown';
}
