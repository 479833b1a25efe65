/**
 * The parts of a client's `Content`. Parts that only Gemini has (code it ran, calls of its own tools) stay whole.
 * Source: Gemini API reference, caching, `Part` and the types of its data.
 */
import type {
  AudioPart,
  FilePart,
  ImagePart,
  MediaSource,
  Part,
  ToolCallPart,
  ToolResultPart,
} from '../../domain/generation.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import type { CallBook } from './call-book.ts';
import { readResponse } from './decode-response-text.ts';
import { spelled } from './names.ts';
import { readPartSignature, readThoughtMarks } from './thought-signature.ts';
import { isUploaded, uploadedId } from './uploaded-file.ts';

type MediaPart = ImagePart | FilePart | AudioPart;

const NATIVE = ['executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse', 'audioTranscription'];
/** Ways to look at media that no other API has. */
const LOST = ['videoMetadata', 'mediaResolution', 'partMetadata', 'mediaProcessing', 'speechMetadata'];
const NOWHERE = 'has no place in other APIs';

/** Empty for a part that holds nothing that is known; what it holds is reported. */
export function readPart(part: ObjectReader, calls: CallBook): Part[] {
  const native = NATIVE.find((name) => part.node.get(spelled(part, name)) !== undefined);
  if (native !== undefined) return [{ type: 'native', origin: 'gemini', name: native, json: part.node.text }];
  const read = readData(part, calls);
  for (const name of LOST) if (part.raw(spelled(part, name)) !== undefined) part.warnings.lost(part.at(name), NOWHERE);
  part.finish();
  return read;
}

function readData(part: ObjectReader, calls: CallBook): Part[] {
  const signature = () => part.text(spelled(part, 'thoughtSignature'));
  const call = part.object(spelled(part, 'functionCall'));
  if (call) return [readCall(call, signature(), calls)];
  const response = part.object(spelled(part, 'functionResponse'));
  if (response) return [readResult(response, calls)];
  const inline = part.object(spelled(part, 'inlineData'));
  if (inline) return [readInline(inline)];
  const file = part.object(spelled(part, 'fileData'));
  if (file) return [readFile(file)];
  return readText(part, signature());
}

function readText(part: ObjectReader, signature: string | undefined): Part[] {
  const text = part.text('text');
  if (text === undefined && signature === undefined) return [];
  if (part.flag('thought') === true) return [{ type: 'reasoning', text: text ?? '', ...readThoughtMarks(signature) }];
  return [{ type: 'text', text: text ?? '', cache: undefined, signature: readPartSignature(signature) }];
}

function readCall(call: ObjectReader, signature: string | undefined, calls: CallBook): ToolCallPart {
  const name = call.textOf('name');
  const callId = calls.called(call.text('id'), name);
  const argumentsText = call.object('args')?.node.text ?? '{}';
  call.finish();
  const carried = readPartSignature(signature);
  return { type: 'tool_call', callId, name, argumentsText, signature: carried, cache: undefined };
}

function readResult(response: ObjectReader, calls: CallBook): ToolResultPart {
  const name = response.textOf('name');
  const callId = calls.answered(response.text('id'), name);
  const media = response.objects('parts').flatMap((part) => {
    const inline = part.object(spelled(part, 'inlineData'));
    const file = part.object(spelled(part, 'fileData'));
    const read = inline ? readInline(inline) : file && readFile(file);
    part.finish();
    if (read?.type !== 'audio') return read ? [read] : [];
    part.warnings.lost(part.path, 'is sound, which no API takes in a result');
    return [];
  });
  const object = response.object('response')?.node;
  const { text, isError } = readResponse(object);
  for (const member of ['scheduling', 'willContinue'])
    if (response.raw(spelled(response, member)) !== undefined) response.warnings.lost(response.at(member), NOWHERE);
  response.finish();
  return {
    type: 'tool_result',
    callId,
    name,
    parts: [{ type: 'text', text, cache: undefined, signature: undefined }, ...media],
    isPlain: media.length === 0,
    isError,
    responseText: object?.text,
    cache: undefined,
  };
}

function readInline(inline: ObjectReader): MediaPart {
  const mediaType = inline.textOf(spelled(inline, 'mimeType'));
  const base64 = inline.textOf('data');
  return mediaPart(inline, { kind: 'base64', base64, mediaType }, mediaType);
}

function readFile(file: ObjectReader): MediaPart {
  const mediaType = file.text(spelled(file, 'mimeType'));
  const uri = file.textOf(spelled(file, 'fileUri'));
  if (!isUploaded(uri)) return mediaPart(file, { kind: 'url', url: uri, mediaType }, mediaType ?? '');
  return mediaPart(file, { kind: 'file_id', id: uploadedId(uri, mediaType), origin: 'gemini' }, mediaType ?? '');
}

/** Sound and pictures have no names elsewhere. */
function mediaPart(reader: ObjectReader, source: MediaSource, mediaType: string): MediaPart {
  const [kind = ''] = mediaType.split('/');
  const isFile = kind !== 'audio' && kind !== 'image';
  const filename = isFile ? reader.text(spelled(reader, 'displayName')) : undefined;
  reader.finish();
  if (kind === 'audio') return { type: 'audio', source };
  if (kind === 'image') return { type: 'image', source, detail: undefined, cache: undefined };
  return {
    type: 'file',
    source,
    filename,
    title: undefined,
    context: undefined,
    isCitable: undefined,
    cache: undefined,
  };
}
