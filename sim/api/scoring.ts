/**
 * POST /v1/rerank, /v1/score and /v1/classify in both engines' shapes.
 * Sources: SGLang serving_rerank.py, serving_score.py, serving_classify.py; vLLM pooling/scoring and pooling/classify.
 */

import { sendError, sendJson } from '../http/answers.ts';
import { engineError, fieldRequired } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { countOf, listOf, numberOf, recordOf, stringOf, stringsOf } from '../json.ts';
import { hashText } from '../random.ts';
import { readPrompts } from './completions.ts';
import type { EngineParts } from './generation.ts';
import { readThen, relevance } from './pooling.ts';
import { createId, requireModel } from './request.ts';

/** Answers a rerank request: SGLang with a bare list, vLLM with results and usage; best first. */
export function answerRerank(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  const query = stringOf(body['query']);
  if (query === undefined) return sendError(exchange, fieldRequired('query'));
  if (query.trim() === '') return sendError(exchange, engineError(400, 'Query cannot be empty or whitespace only'));
  const documents = listOf(body['documents']).map(documentText);
  if (documents.length === 0) return sendError(exchange, engineError(400, 'Documents cannot be empty'));
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  readThen(parts, exchange, pairs([query], documents), (promptTokens) => {
    const scored = documents.map((document, index) => ({ index, document, score: relevance(query, document) }));
    const best = scored.sort((a, b) => b.score - a.score).slice(0, countOf(body['top_n'], 1) ?? documents.length);
    if (parts.options.kind === 'vllm') {
      const results = best.map(({ index, document, score }) => {
        return { index, document: { text: document, multi_modal: null }, relevance_score: score };
      });
      const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
      return sendJson(exchange, { id: createId(parts, 'rerank-'), model, usage, results });
    }
    const withTexts = body['return_documents'] !== false;
    const meta_info = { id: createId(parts, ''), finish_reason: null, prompt_tokens: promptTokens };
    const list = best.map(({ index, document, score }) => {
      return { score, ...(withTexts ? { document } : {}), index, meta_info };
    });
    return sendJson(exchange, list);
  });
}

/** Answers a score request: SGLang with label probabilities per item, vLLM with one score per pair. */
export function answerScore(parts: EngineParts, exchange: Exchange): void {
  if (parts.options.kind === 'vllm') answerPairScore(parts, exchange);
  else answerLabelScore(parts, exchange);
}

/** Answers a classify request; the label follows from the text. */
export function answerClassify(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  const texts = readPrompts(body['input']);
  if (texts.length === 0) return sendError(exchange, fieldRequired('input'));
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  readThen(parts, exchange, texts, (promptTokens) => {
    const data = texts.map((text, index) => {
      const positive = hashText(text, hashText(model)) / 4294967296;
      const label = positive >= 0.5 ? 'LABEL_1' : 'LABEL_0';
      return { index, label, probs: [1 - positive, positive], num_classes: 2 };
    });
    sendJson(exchange, { ...listHead(parts, 'classify-', model), data, usage: usage(promptTokens) });
  });
}

function answerPairScore(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  const left = stringsOf(body['text_1'] ?? body['queries'] ?? body['data_1']);
  const right = stringsOf(body['text_2'] ?? body['documents'] ?? body['items'] ?? body['data_2']);
  if (left === undefined || right === undefined) return sendError(exchange, fieldRequired('text_1'));
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  readThen(parts, exchange, pairs(left, right), (promptTokens) => {
    const data = right.map((text, index) => {
      const score = relevance(left.length === 1 ? (left[0] as string) : (left[index] ?? ''), text);
      return { index, object: 'score', score };
    });
    sendJson(exchange, { ...listHead(parts, 'score-', model), data, usage: usage(promptTokens) });
  });
}

function answerLabelScore(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  const query = readPrompts(body['query'])[0];
  const items = readPrompts(body['items']);
  if (query === undefined) return sendError(exchange, fieldRequired('query'));
  if (items.length === 0) return sendError(exchange, fieldRequired('items'));
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  const labels = listOf(body['label_token_ids']).map((id) => numberOf(id) ?? 0);
  readThen(parts, exchange, pairs([query], items), (promptTokens) => {
    const scores = items.map((item) => probabilities(query + item, labels));
    sendJson(exchange, { scores, model, usage: usage(promptTokens), object: 'scoring' });
  });
}

function probabilities(text: string, labels: readonly number[]): readonly number[] {
  const weights = labels.map((label) => 1 + hashText(text, label) / 4294967296);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function pairs(left: readonly string[], right: readonly string[]): readonly string[] {
  return right.map((text, index) => `${left.length === 1 ? left[0] : (left[index] ?? '')}\n${text}`);
}

function documentText(document: unknown): string {
  return stringOf(document) ?? stringOf(recordOf(document)['text']) ?? JSON.stringify(document);
}

function listHead(parts: EngineParts, prefix: string, model: string): object {
  return { id: createId(parts, prefix), object: 'list', created: Math.floor(Date.now() / 1000), model };
}

function usage(promptTokens: number): object {
  return {
    prompt_tokens: promptTokens,
    total_tokens: promptTokens,
    completion_tokens: 0,
    prompt_tokens_details: null,
  };
}
