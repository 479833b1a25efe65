/**
 * The tap of OpenAI-style streams of choices (chat and text completions): `data: {…"choices":[…]}` … `data: [DONE]`.
 * Until the first content it reads each frame; afterwards it only looks for the few keys that matter.
 */
import type { GatewayError } from '../domain/errors.ts';
import type { Usage } from '../domain/usage.ts';
import { openaiErrorObject } from './dialect.ts';
import type { FrameKind, StreamTap } from './protocol.ts';
import { readFrame, readJson } from './sse.ts';
import { hasValue, lastObject, usageFromOpenAi } from './usage.ts';

const DONE_FRAME = Buffer.from('data: [DONE]');
const FINISH = '"finish_reason"';
const CHOICES = '"choices"';
const USAGE = '"usage"';

type ChoiceTest = (choice: Record<string, unknown>) => boolean;

export class ChoicesTap implements StreamTap {
  usage: Usage | undefined;
  isComplete = false;
  readonly endTellsAll = true;
  failure: string | undefined;
  isRateLimited = false;
  #sawContent = false;
  readonly #hasContent: ChoiceTest;

  constructor(hasContent: ChoiceTest) {
    this.#hasContent = hasContent;
  }

  frame(frame: Buffer): FrameKind {
    // A frame that finishes is read closely: it may be cut, or an error in the form of a chunk.
    if (this.#sawContent && frame.includes(CHOICES) && !hasValue(frame, FINISH)) {
      this.#readUsage(frame);
      return 'content';
    }
    return this.#readClosely(frame);
  }

  encodeError(error: GatewayError): Buffer {
    return encodeDataError(error);
  }

  #readUsage(frame: Buffer): void {
    const usage = lastObject(frame, USAGE);
    if (usage !== undefined) this.usage = usageFromOpenAi(usage);
  }

  #readClosely(frame: Buffer): FrameKind {
    if (isDone(frame)) {
      this.isComplete = true;
      return 'end';
    }
    const view = readFrame(frame);
    if (view.data === undefined) return 'heartbeat';
    if (view.data.trim() === '[DONE]') {
      this.isComplete = true;
      return 'end';
    }
    const json = readJson(view.data);
    if (!json) return this.#content();
    const failure = inBandFailure(json, view.event);
    if (failure !== undefined) return this.#failed(json, failure);
    this.#readUsage(frame);
    const choices = Array.isArray(json['choices']) ? json['choices'].filter(isObject) : [];
    if (choices.some(isFinished)) {
      this.isComplete = true;
      return this.#content();
    }
    return choices.some(this.#hasContent) ? this.#content() : 'prelude';
  }

  #failed(json: Record<string, unknown>, failure: string): FrameKind {
    this.failure = failure;
    this.isRateLimited = isRateLimit(json);
    if (!isClientFault(json)) return 'error';
    this.isComplete = true;
    return this.#content();
  }

  #content(): FrameKind {
    this.#sawContent = true;
    return 'content';
  }
}

/** An error in a stream of plain `data:` frames. */
export function encodeDataError(error: GatewayError): Buffer {
  return Buffer.from(`data: ${JSON.stringify({ error: openaiErrorObject(error) })}\n\n`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Some engines write an empty reason while they are still at work. */
function isFinished(choice: Record<string, unknown>): boolean {
  const reason = choice['finish_reason'];
  return reason !== undefined && reason !== null && reason !== '';
}

function isDone(frame: Buffer): boolean {
  return frame.length < 24 && frame.subarray(0, DONE_FRAME.length).equals(DONE_FRAME);
}

/**
 * The message of an error that stands in the stream, or undefined. Forms seen: `{"error":{"message"}}` (OpenAI, SGLang),
 * `{"object":"error","message"}` (vLLM), `{"error":"text"}`, and any JSON under `event: error`.
 */
export function inBandFailure(json: Record<string, unknown>, event: string): string | undefined {
  const error = json['error'];
  if (typeof error === 'string') return error;
  if (typeof error === 'object' && error !== null) return messageOf(error as Record<string, unknown>);
  if (json['object'] === 'error' || json['type'] === 'error' || event === 'error') return messageOf(json);
  return undefined;
}

/**
 * An in-band error that is about the request (too long, not allowed) is an answer, not a failure of the worker: it
 * goes to the client as it stands.
 */
export function isClientFault(json: Record<string, unknown>): boolean {
  const error = errorOf(json);
  const code = Number(error['code'] ?? Number.NaN);
  if (code >= 400 && code < 500) return code !== 408 && code !== 429;
  return typeof error['type'] === 'string' && CLIENT_FAULT_TYPES.has(error['type']) && !isRateLimit(json);
}

/** Does an in-band error say what a 429 says? By its code, as a status or in words, or by its type. */
export function isRateLimit(json: Record<string, unknown>): boolean {
  const { code, type } = errorOf(json);
  const status = Number(code ?? Number.NaN);
  if (status > 0) return status === 429;
  return [code, type].some((word) => typeof word === 'string' && RATE_LIMIT_WORDS.has(word));
}

function errorOf(json: Record<string, unknown>): Record<string, unknown> {
  const error = json['error'];
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : json;
}

/** OpenAI's codes, Anthropic's type, the class name that Python engines give. */
const RATE_LIMIT_WORDS = new Set(['rate_limit_exceeded', 'insufficient_quota', 'rate_limit_error', 'RateLimitError']);

const CLIENT_FAULT_TYPES = new Set([
  'BadRequestError',
  'authentication_error',
  'invalid_request_error',
  'not_found_error',
  'permission_error',
  'request_too_large',
]);

function messageOf(error: Record<string, unknown>): string {
  return typeof error['message'] === 'string' ? error['message'] : 'the worker gave no message';
}
