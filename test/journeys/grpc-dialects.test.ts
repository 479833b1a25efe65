/** The other APIs' clients on engines behind gRPC: Anthropic's, Gemini's and Responses' answers, streamed and whole. */
import assert from 'node:assert/strict';
import { mkdtemp, cp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DEFAULT_TOKENIZER_PATH } from '../../sim/grpc/assets.ts';
import type { Json, Pair } from '../support/grpc-pair.ts';
import { CHAT, chatIn, chatOf, GRPC_KINDS, startPair, user } from '../support/grpc-pair.ts';

const TOOL = { name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } };
const GEMINI_TOOL = { functionDeclarations: [{ name: 'get_weather', parameters: { type: 'OBJECT', properties: {} } }] };
const RESPONSES_TOOL = { type: 'function', name: 'get_weather', parameters: { type: 'object', properties: {} } };
const SCRIPT = '#think Hm, ü. #say Let me see: 日本. #tool:get_weather {"city": "Zürich"}';
const GEMINI = '/v1beta/models/Qwen3-Sim';

/** Blocks and the end of a stream of messages. */
function messageOf(events: readonly Json[]): Json {
  const content: Json[] = [];
  let stop: Json;
  let usage: Json = {};
  for (const event of events) {
    if (event.type === 'message_start') usage = { ...event.message.usage };
    if (event.type === 'content_block_start') content[event.index] = { ...event.content_block, json: '' };
    if (event.type === 'message_delta') {
      stop = event.delta;
      usage = { ...usage, ...event.usage };
    }
    if (event.type !== 'content_block_delta') continue;
    const block = content[event.index];
    const { type, text, thinking, partial_json: json } = event.delta;
    if (type === 'text_delta') block.text += text;
    if (type === 'thinking_delta') block.thinking += thinking;
    if (type === 'input_json_delta') block.json += json;
  }
  return { content: content.map(blockOf), ...stop, usage };
}

function blockOf(block: Json): Json {
  switch (block.type) {
    case 'text':
      return ['text', block.text];
    case 'thinking':
      return ['thinking', block.thinking];
    default:
      return [block.type, block.name, block.json ? JSON.parse(block.json) : block.input];
  }
}

for (const kind of GRPC_KINDS) {
  for (const tokensPerChunk of [1, 10_000]) {
    describe(`${kind} with ${tokensPerChunk} tokens in a message`, () => {
      let pair: Pair;
      before(async () => {
        pair = await startPair({ kind, tokensPerChunk });
      });
      after(() => pair.close());

      test('Anthropic: thoughts, text and calls in blocks, streamed as whole', async () => {
        const body = {
          ...user(SCRIPT),
          max_tokens: 2_000,
          tools: [TOOL],
          thinking: { type: 'enabled', budget_tokens: 1_024 },
        };
        await pair.post('/v1/messages', body);
        const { status, json, text } = await pair.post('/v1/messages', body);
        assert.equal(status, 200, text);
        const told = { content: json.content.map(blockOf), stop_reason: json.stop_reason };
        assert.deepEqual(told, {
          content: [
            ['thinking', 'Hm, ü.'],
            ['text', 'Let me see: 日本.'],
            ['tool_use', 'get_weather', { city: 'Zürich' }],
          ].map((block) => (block[0] === 'text' ? ['text', json.content[1].text] : block)),
          stop_reason: 'tool_use',
        });
        assert.equal(json.content[1].text.trim(), 'Let me see: 日本.');
        const streamed = messageOf(await pair.stream('/v1/messages', body));
        assert.deepEqual(streamed.content, told.content);
        assert.equal(streamed.stop_reason, 'tool_use');
        for (const name of ['input_tokens', 'output_tokens', 'cache_read_input_tokens'])
          assert.equal(streamed.usage[name], json.usage[name], name);
      });

      test('Anthropic: a stop sequence is named, a limit is a limit', async () => {
        const body = { ...user('#say one two three four'), max_tokens: 99, stop_sequences: ['o thr', 'never'] };
        const { json } = await pair.post('/v1/messages', body);
        const told = [json.content[0].text, json.stop_reason, json.stop_sequence];
        assert.deepEqual(told, ['one tw', 'stop_sequence', 'o thr']);
        const streamed = messageOf(await pair.stream('/v1/messages', body));
        assert.deepEqual([streamed.content[0][1], streamed.stop_reason, streamed.stop_sequence], told);
        const cut = await pair.post('/v1/messages', { ...user('#say one two three four'), max_tokens: 2 });
        assert.deepEqual(
          [cut.json.stop_reason, cut.json.stop_sequence, cut.json.usage.output_tokens],
          ['max_tokens', null, 2],
        );
        const whole = await pair.post('/v1/messages', { ...user('#say one'), max_tokens: 20 });
        assert.equal(whole.json.stop_reason, 'end_turn');
      });

      test('Anthropic: what was said before comes back to the model, thoughts and results too', async () => {
        const body = { max_tokens: 2_000, tools: [TOOL], thinking: { type: 'enabled', budget_tokens: 1_024 } };
        const first = await pair.post('/v1/messages', { ...user(SCRIPT), ...body });
        const use = first.json.content.at(-1);
        const messages = [
          { role: 'user', content: SCRIPT },
          { role: 'assistant', content: first.json.content },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'sunny' }] },
        ];
        const second = await pair.post('/v1/messages', { messages, ...body });
        assert.equal(second.status, 200, second.text);
        const { original_text: prompt } = pair.sent().tokenized;
        assert.match(prompt, /<tool_call>\n\{"name": "get_weather", "arguments": \{"city": "Zürich"\}\}/);
        assert.match(prompt, /<tool_response>\nsunny\n<\/tool_response>/);
        assert.equal(second.headers.get('x-smg-translation-warnings'), null);
      });

      test('Gemini: thoughts, text and calls in parts, streamed as whole; stops and limits', async () => {
        const contents = [{ role: 'user', parts: [{ text: SCRIPT }] }];
        const body = {
          contents,
          tools: [GEMINI_TOOL],
          generationConfig: { thinkingConfig: { includeThoughts: true } },
        };
        const { status, json, text } = await pair.post(`${GEMINI}:generateContent`, body);
        assert.equal(status, 200, text);
        const partsOf = (answers: readonly Json[]) => {
          const all = { thought: '', text: '', calls: [] as Json[] };
          for (const answer of answers)
            for (const part of answer.candidates?.[0]?.content?.parts ?? []) {
              if (part.functionCall) all.calls.push([part.functionCall.name, part.functionCall.args]);
              else if (part.thought) all.thought += part.text;
              else all.text += part.text ?? '';
            }
          return all;
        };
        const told = partsOf([json]);
        assert.deepEqual(
          [told.thought, told.text.trim(), told.calls],
          ['Hm, ü.', 'Let me see: 日本.', [['get_weather', { city: 'Zürich' }]]],
        );
        const events = await pair.stream(`${GEMINI}:streamGenerateContent?alt=sse`, body);
        assert.deepEqual(partsOf(events), told);
        assert.equal(events.at(-1).usageMetadata.totalTokenCount, json.usageMetadata.totalTokenCount);
        assert.ok(json.usageMetadata.thoughtsTokenCount > 0);
        const asked = [{ role: 'user', parts: [{ text: '#say one two three four' }] }];
        const stop = await pair.post(`${GEMINI}:generateContent`, {
          contents: asked,
          generationConfig: { stopSequences: ['o thr'] },
        });
        assert.deepEqual(
          [stop.json.candidates[0].content.parts[0].text, stop.json.candidates[0].finishReason],
          ['one tw', 'STOP'],
        );
        const cut = await pair.post(`${GEMINI}:generateContent`, {
          contents: asked,
          generationConfig: { maxOutputTokens: 2 },
        });
        assert.equal(cut.json.candidates[0].finishReason, 'MAX_TOKENS');
        const several = await pair.post(`${GEMINI}:generateContent`, {
          contents: asked,
          generationConfig: { candidateCount: 3, stopSequences: ['o thr'], responseLogprobs: true, logprobs: 2 },
        });
        assert.deepEqual(
          several.json.candidates.map(({ index = 0 }: Json) => index),
          [0, 1, 2],
        );
        assert.ok(several.json.candidates[0].logprobsResult.chosenCandidates.length > 0, several.text);
        const off = await pair.post(`${GEMINI}:generateContent`, {
          contents: [{ role: 'user', parts: [{ text: '#think Hm. #say Done.' }] }],
          generationConfig: { thinkingConfig: { thinkingBudget: 0, includeThoughts: true } },
        });
        assert.deepEqual(partsOf([off.json]), { thought: '', text: 'Done.', calls: [] });
      });

      test('Responses: thoughts, text and calls as items, streamed as whole; a limit leaves it incomplete', async () => {
        const body = { input: SCRIPT, tools: [RESPONSES_TOOL] };
        const { status, json, text } = await pair.post('/v1/responses', body);
        assert.equal(status, 200, text);
        const itemsOf = (response: Json) =>
          response.output.map((item: Json) => {
            if (item.type === 'function_call') return [item.type, item.name, JSON.parse(item.arguments), item.status];
            if (item.type === 'message') return [item.type, item.content[0].text.trim(), item.status];
            return [item.type, JSON.stringify([item.content, item.summary]).includes('Hm, ü.')];
          });
        assert.deepEqual(itemsOf(json), [
          ['reasoning', true],
          ['message', 'Let me see: 日本.', 'completed'],
          ['function_call', 'get_weather', { city: 'Zürich' }, 'completed'],
        ]);
        assert.equal(json.status, 'completed');
        const events = await pair.stream('/v1/responses', body);
        const last = events.at(-1);
        assert.equal(last.type, 'response.completed');
        assert.deepEqual(itemsOf(last.response), itemsOf(json));
        assert.equal(last.response.usage.output_tokens, json.usage.output_tokens);
        assert.ok(json.usage.output_tokens_details.reasoning_tokens > 0);
        assert.deepEqual(
          events.map(({ sequence_number: number }) => number),
          events.map((_, at) => at),
        );
        const joined = events
          .filter(({ type }) => type === 'response.function_call_arguments.delta')
          .map(({ delta }) => delta)
          .join('');
        assert.deepEqual(JSON.parse(joined), { city: 'Zürich' });
        const cut = await pair.post('/v1/responses', { input: '#say one two three four', max_output_tokens: 2 });
        assert.deepEqual(
          [cut.json.status, cut.json.incomplete_details],
          ['incomplete', { reason: 'max_output_tokens' }],
        );
        const off = await pair.post('/v1/responses', { input: '#think Hm. #say Done.', reasoning: { effort: 'none' } });
        assert.deepEqual(
          off.json.output.map(({ type }: Json) => type),
          ['message'],
        );
        const stop = await pair.post('/v1/responses', { input: '#say one two three', stop: ['o t'] });
        assert.equal(stop.json.output[0].content[0].text, 'one tw');
        const log = await pair.post('/v1/responses', {
          input: '#say Ünë 日',
          include: ['message.output_text.logprobs'],
          top_logprobs: 2,
        });
        const entries = log.json.output[0].content[0].logprobs;
        assert.equal(Buffer.from(entries.flatMap((entry: Json) => entry.bytes)).toString(), 'Ünë 日');
        assert.equal(entries[0].top_logprobs.length, 2);
      });
    });
  }
}

describe('templates of other kinds', () => {
  /** As DeepSeek R1's: the thought is opened in the prompt, whatever the client says. */
  const R1 =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}" +
    "{% for d in documents or [] %}{{ '[' + d.title + ']' }}{% endfor %}{{ style or '' }}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}";
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'smg-template-'));
    await cp(DEFAULT_TOKENIZER_PATH, folder, { recursive: true });
    await writeFile(join(folder, 'chat_template.jinja'), R1);
    const config = { eos_token: '<|im_end|>', chat_template: R1 };
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const kind of GRPC_KINDS) {
    test(`${kind}: a thought that the template opens is a thought`, async (t) => {
      const pair = await startPair({
        kind,
        tokenizerPath: folder,
        reportsTokenizerPath: false,
        models: ['DeepSeek-R1-Sim'],
      });
      t.after(() => pair.close());
      const model = 'DeepSeek-R1-Sim';
      const asked = { model, ...user('#think Long ago. #say Done.') };
      const whole = await pair.post(CHAT, asked);
      assert.equal(whole.status, 200, whole.text);
      const [told] = chatIn(whole.json).choices;
      assert.deepEqual([told?.reasoning, told?.content], ['Long ago.', 'Done.']);
      assert.ok(whole.json.usage.completion_tokens_details.reasoning_tokens > 0);
      const [streamed] = chatOf(await pair.stream(CHAT, asked)).choices;
      assert.deepEqual([streamed?.reasoning, streamed?.content], ['Long ago.', 'Done.']);
      const blocks = await pair.post('/v1/messages', { ...asked, max_tokens: 99 });
      assert.deepEqual(blocks.json.content.map(blockOf), [
        ['thinking', 'Long ago.'],
        ['text', 'Done.'],
      ]);
      const shown = await pair.post(CHAT, { ...asked, separate_reasoning: false });
      assert.equal(shown.json.choices[0].message.content, 'Long ago.</think>Done.');
      if (kind === 'sglang') {
        await pair.post(CHAT, { ...asked, response_format: { type: 'json_object' } });
        assert.equal(pair.sent().require_reasoning, true);
      }
    });
  }

  test('a client of responses switches thoughts off in the template too', async (t) => {
    const pair = await startPair({ kind: 'sglang' });
    t.after(() => pair.close());
    const body = { input: '#think Hm. #say Done.', chat_template_kwargs: { enable_thinking: false } };
    const { json } = await pair.post('/v1/responses', body);
    assert.deepEqual(
      json.output.map(({ type }: Json) => type),
      ['message'],
    );
    assert.notEqual(pair.sent().require_reasoning, true);
  });

  test('documents and variables of the client reach the template; a developer is a system', async (t) => {
    const pair = await startPair({ kind: 'vllm', tokenizerPath: folder, models: ['DeepSeek-R1-Sim'] });
    t.after(() => pair.close());
    const reply = await pair.post(CHAT, {
      model: 'DeepSeek-R1-Sim',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
      documents: [{ title: 'Alpha' }],
      chat_template_kwargs: { style: '(plain)' },
    });
    assert.equal(reply.status, 200, reply.text);
    assert.equal(
      pair.sent().tokenized.original_text,
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n[Alpha](plain)<|im_start|>assistant\n<think>\n',
    );
  });
});
