/** Plain prompts, embeddings and counts on engines behind gRPC: completions, `/generate`, and what they tell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Json, Pair } from '../support/grpc-pair.ts';
import { CHAT, GRPC_KINDS, startPair, user } from '../support/grpc-pair.ts';

const PATH = '/v1/completions';
const SAID = 'Grüße, 日本語 👩‍👩‍👧 fin';
const USAGE = { stream_options: { include_usage: true } };

/** The chunks of a stream of completions put together, by index; and its usage. */
function textOf(chunks: readonly Json[]): Json {
  const choices: Json[] = [];
  let usage: Json;
  for (const chunk of chunks) {
    usage = chunk.usage ?? usage;
    for (const { index, text, logprobs, finish_reason: finish, matched_stop: stop } of chunk.choices) {
      const told = (choices[index] ??= { index, text: '', logprobs: null, finish_reason: null });
      told.text += text;
      told.finish_reason ??= finish;
      if (stop !== undefined) told.matched_stop = stop;
      if (!logprobs) continue;
      told.logprobs ??= { text_offset: [], token_logprobs: [], tokens: [], top_logprobs: [] };
      for (const name of Object.keys(told.logprobs)) told.logprobs[name].push(...logprobs[name]);
    }
  }
  return { choices, usage };
}

/** Prompts that engines tell log probabilities of; the others have those of the output only. */
const TELLS_PROMPT: ReadonlySet<string> = new Set(['sglang', 'vllm', 'trtllm']);

const ASKED: Readonly<Record<string, Json>> = {
  plain: { prompt: `#say ${SAID}`, max_tokens: 99 },
  'cut by the limit': { prompt: 'Once upon a time', max_tokens: 5 },
  'no limit said': { prompt: 'Once upon a time' },
  echo: { prompt: `Ünë #say ${SAID}`, max_tokens: 99, echo: true },
  suffix: { prompt: `#say ${SAID}`, max_tokens: 99, suffix: ' (end)' },
  logprobs: { prompt: `#say ${SAID}`, max_tokens: 99, logprobs: 2 },
  'logprobs and a stop': { prompt: `#say ${SAID}`, max_tokens: 99, logprobs: 1, stop: ['本'] },
  'echo with logprobs': { prompt: 'Ünë 日 #say a b', max_tokens: 9, echo: true, logprobs: 1 },
  batch: { prompt: ['#say one', '#say two three', `#say ${SAID}`], max_tokens: 99 },
  'batch with echo, logprobs and choices': {
    prompt: ['#say one', '#say two three'],
    max_tokens: 9,
    echo: true,
    logprobs: 0,
    n: 2,
    seed: 3,
  },
  ids: { prompt: [260, 261, 262, 263], max_tokens: 7 },
  'batch of ids': {
    prompt: [
      [260, 261],
      [262, 263, 264],
    ],
    max_tokens: 7,
  },
  'several choices': { prompt: 'Once upon a time', max_tokens: 7, n: 3, seed: 5 },
  'stop that stays': { prompt: '#say one two three', stop: 'o t', include_stop_str_in_output: true },
  'nothing but the prompt': { prompt: 'Say nothing', max_tokens: 0, echo: true },
  'nothing but the prompt, with logprobs': { prompt: 'Say nothing', max_tokens: 0, echo: true, logprobs: 1 },
};

for (const kind of GRPC_KINDS) {
  for (const tokensPerChunk of [1, 4, 10_000]) {
    describe(`completions of ${kind}, ${tokensPerChunk} tokens in a message`, () => {
      let pair: Pair;
      before(async () => {
        pair = await startPair({ kind, tokensPerChunk });
      });
      after(() => pair.close());
      for (const [name, body] of Object.entries(ASKED)) {
        test(`streams put together are the whole answer: ${name}`, async () => {
          await pair.post(PATH, body);
          const whole = await pair.post(PATH, body);
          assert.equal(whole.status, 200, whole.text);
          const { choices, usage } = whole.json;
          assert.deepEqual(textOf(await pair.stream(PATH, { ...body, ...USAGE })), { choices, usage });
        });
      }
    });
  }

  describe(`plain prompts on ${kind}`, () => {
    let pair: Pair;
    before(async () => {
      pair = await startPair({ kind });
    });
    after(() => pair.close());
    const ask = async (body: Json) => {
      const reply = await pair.post(PATH, body);
      assert.equal(reply.status, 200, reply.text);
      return reply.json;
    };

    test('offsets and tokens of log probabilities make up the text', async () => {
      const { choices } = await ask({ prompt: '#say one two three', max_tokens: 99, logprobs: 3 });
      const [{ text, logprobs }] = choices;
      assert.equal(text, 'one two three');
      assert.equal(logprobs.tokens.join(''), text);
      const start = '#say one two three'.length;
      let at = start;
      for (const [index, token] of logprobs.tokens.entries()) {
        assert.equal(logprobs.text_offset[index], at);
        at += token.length;
        assert.ok(logprobs.token_logprobs[index] <= 0);
        assert.equal(logprobs.top_logprobs[index][token], logprobs.token_logprobs[index]);
      }
    });

    test('an echo has the prompt, with its log probabilities where the engine tells them', async () => {
      const prompt = 'Alpha beta #say one';
      const reply = await pair.post(PATH, { prompt, max_tokens: 99, echo: true, logprobs: 1 });
      const [{ text, logprobs }] = reply.json.choices;
      assert.equal(text, `${prompt}one`);
      const lost = reply.headers.get('x-smg-translation-warnings') ?? '';
      if (TELLS_PROMPT.has(kind)) {
        assert.equal(logprobs.tokens.join(''), text);
        assert.equal(logprobs.token_logprobs[0], null);
        assert.equal(logprobs.text_offset[0], 0);
        assert.ok(logprobs.token_logprobs.slice(1).every((each: unknown) => typeof each === 'number'));
        assert.equal(logprobs.top_logprobs[0], null);
      } else {
        assert.equal(logprobs.tokens.join(''), 'one');
        assert.equal(logprobs.text_offset[0], prompt.length);
        assert.match(lost, /prompt_logprobs/);
      }
    });

    test('max_tokens 0 gives the prompt and not a token more', async () => {
      const { choices, usage } = await ask({ prompt: 'Alpha beta', max_tokens: 0, echo: true });
      assert.deepEqual([choices[0].text, choices[0].finish_reason], ['Alpha beta', 'length']);
      assert.equal(usage.completion_tokens, 0);
    });

    test('a batch has an answer for each prompt in its place, and counts each prompt once', async () => {
      const prompts = ['#say one', '#say two three', '#say four'];
      const alone = await Promise.all(prompts.map((prompt) => ask({ prompt, max_tokens: 99 })));
      const { choices, usage } = await ask({ prompt: prompts, max_tokens: 99, n: 2 });
      assert.deepEqual(
        choices.map(({ index, text }: Json) => [index, text]),
        ['one', 'one', 'two three', 'two three', 'four', 'four'].map((text, index) => [index, text]),
      );
      assert.equal(
        usage.prompt_tokens,
        alone.reduce((sum, answer) => sum + answer.usage.prompt_tokens, 0),
      );
    });

    test('takes ids for a prompt as they are', async () => {
      await ask({ prompt: [300, 301, 302], max_tokens: 3 });
      const { tokenized } = pair.sent();
      assert.deepEqual(tokenized.input_ids ?? tokenized.input_token_ids, [300, 301, 302]);
    });

    test('tells cached tokens, with a stop string too', async () => {
      const prompt = `${'word '.repeat(200)} #say one two three`;
      for (const stop of [undefined, ['two']]) {
        await ask({ prompt, stop });
        const { usage } = await ask({ prompt, stop });
        assert.ok(usage.prompt_tokens_details.cached_tokens > 50, JSON.stringify(usage));
      }
    });

    test('best_of beyond n is told to be lost', async () => {
      const reply = await pair.post(PATH, { prompt: 'Hi', best_of: 4 });
      assert.equal(reply.status, 200);
      assert.match(reply.headers.get('x-smg-translation-warnings') ?? '', /best_of/);
    });

    test('the wish for a chunk of usage is one chunk at the end without choices', async () => {
      const chunks = await pair.stream(PATH, { prompt: 'Hi', ...USAGE });
      assert.deepEqual(chunks.at(-1).choices, []);
      assert.ok(chunks.slice(0, -1).every(({ usage }) => usage === null));
      const chats = await pair.stream(CHAT, { ...user('Hi'), ...USAGE });
      assert.deepEqual(chats.at(-1).choices, []);
      assert.ok(chats.at(-1).usage.total_tokens > 0);
    });

    test('/generate answers in its own words, streamed and whole', async () => {
      const sampling = { sampling_params: { max_new_tokens: 50, stop: ['three'] } };
      const whole = await pair.post('/generate', { text: '#say one two three', ...sampling, return_logprob: true });
      assert.equal(whole.status, 200, whole.text);
      assert.equal(whole.json.text, 'one two ');
      assert.deepEqual(whole.json.meta_info.finish_reason, { type: 'stop', matched: 'three' });
      const shown = whole.json.meta_info.output_token_logprobs;
      assert.deepEqual(
        shown.map(([, id]: Json) => id),
        whole.json.output_ids,
      );
      const frames = await pair.stream('/generate', { text: '#say one two three', ...sampling });
      assert.equal(frames.at(-1).text, 'one two ');
      assert.deepEqual(frames.at(-1).meta_info.finish_reason, { type: 'stop', matched: 'three' });
      const list = await pair.post('/generate', { text: ['#say a', '#say b'] });
      assert.deepEqual(
        list.json.map(({ text }: Json) => text),
        ['a', 'b'],
      );
      const several = await pair.post('/generate', {
        input_ids: [260, 261],
        sampling_params: { n: 2, max_new_tokens: 3 },
      });
      assert.equal(several.json.length, 2);
    });

    test('counts of tokens are those of the usage', async () => {
      const tools = [{ name: 'get_time', description: 'Time.', input_schema: { type: 'object', properties: {} } }];
      for (const body of [
        user('How many?'),
        { ...user('How many?'), system: 'Be kind.', tools },
        { messages: [...user('Go').messages, { role: 'assistant', content: 'I am' }] },
        { ...user('Hm'), thinking: { type: 'disabled' } },
        { ...user('Hm'), thinking: { type: 'enabled', budget_tokens: 1_024 } },
      ]) {
        const { json: counted } = await pair.post('/v1/messages/count_tokens', body);
        const { json: answer } = await pair.post('/v1/messages', { max_tokens: 2_000, ...body });
        const { input_tokens: input, cache_read_input_tokens: cached = 0 } = answer.usage;
        assert.equal(counted.input_tokens, input + cached);
      }
      const contents = [{ role: 'user', parts: [{ text: 'How many, Gemini?' }] }];
      const model = '/v1beta/models/Qwen3-Sim';
      const { json: counted } = await pair.post(`${model}:countTokens`, { contents });
      const { json: answer } = await pair.post(`${model}:generateContent`, { contents });
      assert.equal(counted.totalTokens, answer.usageMetadata.promptTokenCount);
    });

    test('embeddings come one for each input, in floats or base64, cut to the dimensions wanted', async () => {
      const path = '/v1/embeddings';
      const single = await pair.post(path, { input: 'Alpha' });
      if (kind !== 'sglang' && kind !== 'vllm') {
        assert.equal(single.status, 400, single.text);
        return assert.match(single.text, /no embeddings/);
      }
      assert.equal(single.status, 200, single.text);
      const batch = await pair.post(path, { input: ['Alpha', 'Beta'] });
      assert.deepEqual(
        batch.json.data.map(({ index }: Json) => index),
        [0, 1],
      );
      const [alpha, beta] = batch.json.data.map(({ embedding }: Json) => embedding);
      assert.deepEqual(alpha, single.json.data[0].embedding);
      assert.notDeepEqual(alpha, beta);
      const text = await pair.post(path, { input: 'Alpha', encoding_format: 'base64' });
      const bytes = Buffer.from(text.json.data[0].embedding, 'base64');
      assert.deepEqual(
        Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4)),
        alpha.map(Math.fround),
      );
      const short = await pair.post(path, { input: 'Alpha', dimensions: 4 });
      const cut: readonly number[] = short.json.data[0].embedding;
      assert.equal(cut.length, 4);
      assert.ok(Math.abs(Math.hypot(...cut) - 1) < 1e-5);
      const ids = await pair.post(path, { input: [[260, 261], [262]] });
      assert.equal(ids.json.data.length, 2);
      assert.equal(ids.json.usage.prompt_tokens, 3);
      const gemini = '/v1beta/models/Qwen3-Sim';
      const content = { parts: [{ text: 'Alpha' }] };
      const many = await pair.post(`${gemini}:batchEmbedContents`, {
        requests: [content, content].map((each) => ({ model: 'models/Qwen3-Sim', content: each })),
      });
      assert.deepEqual(
        many.json.embeddings.map(({ values }: Json) => values),
        [alpha, alpha],
      );
    });
  });
}
