/** The tokenizers that the gateway has: looking at them, loading further ones, letting go of them. */
import { GatewayError } from '../../domain/errors.ts';
import type { TokenizerSpec, TokenizerView } from '../../domain/tokenizers.ts';
import type { ControlRequest } from '../control-request.ts';
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';

const STATUS = '/status';
const MAX_TEXT_CHARS = 4096;

export function listTokenizers({ tokenizers }: ServerDeps): JsonAnswer {
  return json(200, { tokenizers: tokenizers.list().map(show) });
}

/** `{id}` is an id or a name, and may be followed by `/status`. */
export function getTokenizer({ tokenizers }: ServerDeps, { id }: ControlRequest): JsonAnswer {
  const view = tokenizers.view(id);
  if (view) return json(200, show(view));
  const named = id.endsWith(STATUS) ? tokenizers.view(id.slice(0, -STATUS.length)) : undefined;
  if (!named) throw unknown(id);
  return json(200, { ...show(named), message: messageOf(named) });
}

/** 202: it is loaded in the background, and its status tells how that goes. */
export async function addTokenizer({ tokenizers }: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const { id } = tokenizers.add(readSpec(await request.readJson()));
  const location = `/v1/tokenizers/${id}`;
  const body = { id, status: 'pending', message: 'Tokenizer is loaded in the background', location };
  return json(202, body, ['location', location]);
}

export function removeTokenizer({ tokenizers }: ServerDeps, { id }: ControlRequest): JsonAnswer {
  const view = tokenizers.remove(id);
  if (!view) throw unknown(id);
  return json(200, { success: true, message: `Tokenizer ${view.name} removed` });
}

function show({ id, name, source, origin, status, attempts, error, vocabularySize }: TokenizerView): object {
  return { id, name, source, vocab_size: vocabularySize ?? null, status, origin, attempts, error: error ?? null };
}

function messageOf({ status, source, attempts, error }: TokenizerView): string {
  switch (status) {
    case 'completed':
      return `Loaded from ${source}`;
    case 'failed':
      return error ?? 'It could not be loaded.';
    default:
      return source === '' ? 'Not begun yet' : `Attempt ${attempts}: ${source}`;
  }
}

function unknown(id: string): GatewayError {
  return new GatewayError('tokenizer_not_found', `There is no tokenizer \`${id.slice(0, 200)}\`.`, { param: 'id' });
}

const FIELDS = ['name', 'source', 'chat_template_path'] as const;

/** Throws `invalid_request`. */
function readSpec(body: unknown): TokenizerSpec {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new GatewayError('invalid_request', 'The body must be a JSON object with `name` and `source`.');
  const stranger = Object.keys(body).find((key) => !FIELDS.some((field) => field === key));
  if (stranger !== undefined) {
    const text = `\`${stranger.slice(0, 64)}\` is no field of a tokenizer; ${FIELDS.join(', ')} are.`;
    throw new GatewayError('invalid_request', text, { param: stranger.slice(0, 64) });
  }
  const fields: Readonly<Record<string, unknown>> = { ...body };
  const templatePath = fields['chat_template_path'];
  return {
    name: readText(fields['name'], 'name'),
    source: readText(fields['source'], 'source'),
    templatePath: templatePath == null ? undefined : readText(templatePath, 'chat_template_path'),
  };
}

function readText(value: unknown, param: string): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_TEXT_CHARS && !/\p{Cc}/u.test(value))
    return value;
  const text = `\`${param}\` must be a text on one line, not empty, of at most ${MAX_TEXT_CHARS} characters.`;
  throw new GatewayError('invalid_request', text, { param });
}
