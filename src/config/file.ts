/**
 * Reads the configuration file: finds it, parses YAML (and with it JSON), gives its top-level keys. Owns every way in
 * which that can fail; which keys exist and what they mean is load.ts.
 */
import { readFileSync } from 'node:fs';
import { parseDocument, type YAMLError } from 'yaml';

/** A configuration file as read: its keys, or why there are none. */
export interface ConfigFile {
  /** As the user wrote it. */
  readonly path: string;
  readonly entries: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
  EISDIR: 'it is a folder',
};

/** The parser's own words quote the text, which may be a secret: only its rule and the place are kept. */
function syntaxProblem(path: string, error: YAMLError): string {
  const place = error.linePos?.[0];
  const at = place === undefined ? '' : ` at line ${place.line}, column ${place.col}`;
  return `file ${path}: not valid YAML or JSON${at} (${error.code.toLowerCase().replaceAll('_', ' ')})`;
}

/** Parses the text of a configuration file; never throws. */
export function parseConfigFile(path: string, text: string): ConfigFile {
  const document = parseDocument(text, { prettyErrors: true, strict: true, logLevel: 'silent' });
  if (document.errors.length > 0) {
    return { path, entries: {}, problems: document.errors.map((error) => syntaxProblem(path, error)) };
  }
  let content: unknown;
  try {
    content = document.toJS();
  } catch {
    // Thrown for unresolved aliases and for alias bombs; both are a fault of the file.
    return { path, entries: {}, problems: [`file ${path}: its aliases cannot be resolved`] };
  }
  if (content === null || content === undefined) return { path, entries: {}, problems: [] };
  if (typeof content !== 'object' || Array.isArray(content)) {
    return { path, entries: {}, problems: [`file ${path}: it has to be a mapping of keys to values`] };
  }
  return { path, entries: { ...content }, problems: [] };
}

/** Reads and parses the file at `path`, relative to the working directory; never throws. */
export function readConfigFile(path: string): ConfigFile {
  try {
    return parseConfigFile(path, readFileSync(path, 'utf8'));
  } catch (error) {
    const code = codeOf(error);
    return { path, entries: {}, problems: [`file ${path}: it cannot be read, ${READ_FAULTS[code] ?? code}`] };
  }
}
