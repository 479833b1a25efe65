/** Reading what a stranger answered: nothing is taken for granted, nothing throws. */
import type { ProbeReply } from '../domain/ports.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const NOTHING: JsonObject = {};

export function isOk(reply: ProbeReply): boolean {
  return reply.status >= 200 && reply.status < 300;
}

/** The value of a good answer that is JSON, else undefined. */
export function jsonOf(reply: ProbeReply | undefined): unknown {
  if (!reply || !isOk(reply)) return undefined;
  try {
    return JSON.parse(reply.text);
  } catch {
    // Not JSON: the worker does not have this endpoint, which is an answer too.
    return undefined;
  }
}

/** The object that was answered; an empty one for everything else. */
export function objectOf(reply: ProbeReply | undefined): JsonObject {
  return asObject(jsonOf(reply)) ?? NOTHING;
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text that is not empty. */
export function textAt(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number that can be counted with: finite and not negative. */
export function amountAt(object: JsonObject, name: string): number | undefined {
  const value = object[name];
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** A whole number of at least 1. */
export function countAt(object: JsonObject, name: string): number | undefined {
  const value = amountAt(object, name);
  return value !== undefined && Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}
