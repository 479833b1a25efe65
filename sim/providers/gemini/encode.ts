/**
 * Answers as Gemini words them: whole, as server-sent events (with CR LF), and as a JSON array that grows.
 * Function calls have no ids and end with STOP; a blocked prompt has no candidates.
 * Source: Gemini API reference "GenerateContentResponse", guides "Thinking" and "Thought signatures".
 */

import { type JsonRecord, numberOf, recordOf } from '../../json.ts';
import type { ProviderCall, Worded } from '../dialect.ts';
import type { Plan } from '../plan.ts';
import { piecesOf } from '../play.ts';
import { geminiErrorBody } from './errors.ts';
import { needsSignatures } from './models.ts';

/** What an answer is made of. */
interface Answer {
  readonly plan: Plan;
  readonly config: JsonRecord;
  readonly head: JsonRecord;
  /** Signatures of this answer: of its first call, or of its text. */
  readonly signature: string | undefined;
}

/** Words a plan; `body` has camel case names. */
export function wordContent(call: ProviderCall, plan: Plan, body: JsonRecord): Worded {
  const config = recordOf(body['generationConfig']);
  const isSigned = plan.thought !== undefined && (plan.calls.length > 0 || needsSignatures(plan.model));
  const about = plan.calls[0] === undefined ? 'text' : `call ${plan.calls[0].name}`;
  const answer: Answer = {
    plan,
    config,
    head: { modelVersion: plan.model, responseId: call.newId('', 22) },
    signature: isSigned || needsSignatures(plan.model) ? call.sealer.seal(about) : undefined,
  };
  const chunks = chunksOf(answer);
  const isSse = call.exchange.query.get('alt') === 'sse';
  const errorOf = (message: string, status: number) => JSON.stringify(geminiErrorBody({ status, message }));
  if (isSse) {
    return {
      whole: wholeOf(answer),
      frames: chunks.flatMap((chunk, index) =>
        plan.hasPings && index === 1 ? [': ping\r\n\r\n', sse(chunk)] : [sse(chunk)],
      ),
      errorFrames: (message, status) => [`data: ${errorOf(message, status)}\r\n\r\n`],
      contentType: 'text/event-stream',
    };
  }
  const { fault } = call.exchange;
  const opening = fault?.kind === 'error_event' && fault.events === 0 ? '[' : ',\r\n';
  return {
    whole: wholeOf(answer),
    frames: [...chunks.map((chunk, index) => `${index === 0 ? '[' : ',\r\n'}${JSON.stringify(chunk)}\n`), ']'],
    errorFrames: (message, status) => [`${opening}${errorOf(message, status)}\n]`],
    contentType: 'application/json; charset=UTF-8',
  };
}

function sse(chunk: unknown): string {
  return `data: ${JSON.stringify(chunk)}\r\n\r\n`;
}

function usageOf({ usage }: Plan, candidates: number): JsonRecord {
  const output = usage.output * candidates;
  return {
    promptTokenCount: usage.prompt,
    ...(usage.cached > 0 ? { cachedContentTokenCount: usage.cached } : {}),
    ...(output > 0 ? { candidatesTokenCount: output } : {}),
    ...(usage.reasoning > 0 ? { thoughtsTokenCount: usage.reasoning } : {}),
    totalTokenCount: usage.prompt + output + usage.reasoning,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: usage.prompt }],
  };
}

const RATINGS = [
  { category: 'HARM_CATEGORY_DANGEROUS_CONTENT', probability: 'HIGH', blocked: true },
  { category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' },
];

function finishOf(plan: Plan): string {
  if (plan.finish === 'length') return 'MAX_TOKENS';
  return plan.finish === 'refusal' ? 'SAFETY' : 'STOP';
}

function blockedOf({ plan, head }: Answer): JsonRecord {
  const feedback = { blockReason: 'SAFETY', safetyRatings: RATINGS };
  return { promptFeedback: feedback, usageMetadata: usageOf(plan, 0), ...head };
}

function endOf(plan: Plan): JsonRecord {
  const sources = [
    { startIndex: 0, endIndex: Buffer.byteLength(plan.text), uri: 'https://example.com/source', license: '' },
  ];
  return {
    finishReason: finishOf(plan),
    ...(plan.finish === 'refusal' ? { safetyRatings: RATINGS } : {}),
    ...(plan.hasCitation ? { citationMetadata: { citationSources: sources } } : {}),
  };
}

function wholeOf(answer: Answer): unknown {
  const { plan, config, head } = answer;
  if (plan.isBlocked) return blockedOf(answer);
  const count = numberOf(config['candidateCount']) ?? 1;
  const candidates = Array.from({ length: count }, (_unused, index) => {
    const parts =
      plan.finish === 'refusal'
        ? []
        : [...thoughtParts(answer, 'whole'), ...saidParts(answer, index), ...callParts(answer)];
    const content = parts.length === 0 ? {} : { content: { parts, role: 'model' } };
    return { ...content, ...endOf(plan), index, ...logprobsOf(answer) };
  });
  return { candidates, usageMetadata: usageOf(plan, count), ...head };
}

function thoughtParts({ plan, config }: Answer, form: 'whole' | 'pieces'): readonly JsonRecord[] {
  const isShown = recordOf(config['thinkingConfig'])['includeThoughts'] === true;
  if (plan.thought === undefined || !isShown) return [];
  const texts = form === 'whole' ? [plan.thought] : piecesOf(plan.thought);
  return texts.map((text) => ({ text, thought: true }));
}

/** The whole text as one part; its signature is on it when no call carries it. */
function saidParts({ plan, signature }: Answer, index: number): readonly JsonRecord[] {
  if (plan.text === '') return [];
  const text = index === 0 ? plan.text : `${plan.text} (${index})`;
  return [{ text, ...(plan.calls.length === 0 && signature !== undefined ? { thoughtSignature: signature } : {}) }];
}

/** Only the first of parallel calls is signed. */
function callParts({ plan, signature }: Answer): readonly JsonRecord[] {
  return plan.calls.map(({ name, argumentsText }, index) => ({
    functionCall: { name, args: JSON.parse(argumentsText) as unknown },
    ...(index === 0 && signature !== undefined ? { thoughtSignature: signature } : {}),
  }));
}

function logprobsOf({ plan, config }: Answer): JsonRecord {
  if (config['responseLogprobs'] !== true) return {};
  const chosen = piecesOf(plan.text).map((token, index) => ({ token, tokenId: index, logProbability: -0.25 }));
  const top = numberOf(config['logprobs']) ?? 0;
  const others = (token: string) =>
    Array.from({ length: top }, (_unused, rank) => ({
      token: rank === 0 ? token : `alt${rank}`,
      logProbability: -0.25 - rank,
    }));
  return {
    avgLogprobs: -0.25,
    logprobsResult: {
      chosenCandidates: chosen,
      topCandidates: chosen.map(({ token }) => ({ candidates: others(token) })),
    },
  };
}

function chunksOf(answer: Answer): readonly JsonRecord[] {
  const { plan, head, signature } = answer;
  if (plan.isBlocked) return [blockedOf(answer)];
  const usage = usageOf(plan, 1);
  const begun = { promptTokenCount: plan.usage.prompt, totalTokenCount: plan.usage.prompt };
  const chunk = (parts: readonly JsonRecord[]) => ({
    candidates: [{ content: { parts, role: 'model' }, index: 0 }],
    usageMetadata: begun,
    ...head,
  });
  const said = plan.finish === 'refusal' ? [] : piecesOf(plan.text).map((text) => chunk([{ text }]));
  const thought = thoughtParts(answer, 'pieces').map((part) => chunk([part]));
  const calls = callParts(answer).map((part) => chunk([part]));
  // A text's signature comes behind it, on an empty part; an end behind calls is an empty part as well.
  const isSignedText = plan.calls.length === 0 && plan.text !== '' && signature !== undefined;
  const last = { text: '', ...(isSignedText ? { thoughtSignature: signature } : {}) };
  const content = plan.finish === 'refusal' ? {} : { content: { parts: [last], role: 'model' } };
  const unknown = plan.hasUnknown ? [{ simUnknown: { any: 'thing' }, usageMetadata: begun, ...head }] : [];
  const end = {
    candidates: [{ ...content, ...endOf(plan), index: 0, ...logprobsOf(answer) }],
    usageMetadata: usage,
    ...head,
  };
  return [...thought, ...said, ...unknown, ...calls, end];
}
