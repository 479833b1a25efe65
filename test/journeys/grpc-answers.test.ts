/**
 * Conversations on engines behind gRPC, feature by feature on all five of them: what clients see, streamed and whole,
 * whatever number of tokens an engine puts into a message.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Json, Pair } from '../support/grpc-pair.ts';
import { CHAT, chatIn, chatOf, GRPC_KINDS, startPair, user, withoutIds } from '../support/grpc-pair.ts';

const SAID = 'Grüße, 日本語 👩‍👩‍👧 – fin';
const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const TIME = { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } };
const USAGE = { stream_options: { include_usage: true } };

/** A question, and what of the answers must be alike however they come. */
const ASKED: Readonly<Record<string, Json>> = {
  plain: user(`#say ${SAID}`),
  'made up': user('Tell me something.'),
  'cut by max_tokens': { ...user(`#say ${SAID}`), max_tokens: 5 },
  'several choices': { ...user('Tell me something.'), n: 3, seed: 7 },
  logprobs: { ...user(`#say ${SAID}`), logprobs: true, top_logprobs: 2 },
  'logprobs with a stop': { ...user(`#say ${SAID}`), logprobs: true, top_logprobs: 1, stop: ['語 👩'] },
  'logprobs with tools': { ...user(`#say ${SAID}`), logprobs: true, tools: [WEATHER] },
  'logprobs with thoughts': { ...user(`#think Hm, ü. #say ${SAID}`), logprobs: true },
  'stop inside of characters': { ...user(`#say ${SAID}`), stop: ['本語 👩‍👩', 'never'] },
  'stop that stays': { ...user(`#say ${SAID}`), stop: ['本語'], no_stop_trim: true },
  'stop with several choices': { ...user('Tell me something.'), n: 2, stop: ['日本'] },
  thoughts: user(`#think Careful – ü. #say ${SAID}`),
  'thoughts that stay': { ...user('#think Careful. #say Done.'), separate_reasoning: false },
  call: { ...user('#tool:get_weather {"city": "Zürich"}'), tools: [WEATHER, TIME] },
  'text and calls': {
    ...user('#think Two. #say Let me see. #tool:get_weather {"city": "東京"} #tool:get_time {}'),
    tools: [WEATHER, TIME],
  },
  'call of a stranger': { ...user('#tool:fly {"to": "Mars"}'), tools: [WEATHER] },
  'call without tools': user('#tool:get_weather {"city": "Bern"}'),
};

describe('streams put together are the whole answer', () => {
  for (const kind of GRPC_KINDS) {
    for (const tokensPerChunk of [1, 3, 10_000]) {
      describe(`${kind}, ${tokensPerChunk} tokens in a message`, () => {
        let pair: Pair;
        before(async () => {
          pair = await startPair({ kind, tokensPerChunk });
        });
        after(() => pair.close());
        for (const [name, body] of Object.entries(ASKED)) {
          test(name, async () => {
            // The second of two equal questions finds its prompt cached: one goes before both.
            await pair.post(CHAT, body);
            const whole = await pair.post(CHAT, body);
            assert.equal(whole.status, 200, whole.text);
            const streamed = chatOf(await pair.stream(CHAT, { ...body, ...USAGE }));
            assert.deepEqual(withoutIds(streamed), withoutIds(chatIn(whole.json)));
          });
        }
      });
    }
  }
});

for (const kind of GRPC_KINDS) {
  describe(`an engine of ${kind} behind gRPC`, () => {
    let pair: Pair;
    before(async () => {
      pair = await startPair({ kind });
    });
    after(() => pair.close());

    const ask = async (body: Json) => {
      const reply = await pair.post(CHAT, body);
      assert.equal(reply.status, 200, reply.text);
      return chatIn(reply.json);
    };

    test('says what it was told to, and its end token is never in the text', async () => {
      const { choices } = await ask(user(`#say ${SAID}`));
      assert.deepEqual([choices[0]?.content, choices[0]?.finish], [SAID, 'stop']);
      const shown = await ask({ ...user(`#say ${SAID}`), skip_special_tokens: false });
      assert.equal(shown.choices[0]?.content, SAID);
    });

    test('counts the prompt once for several choices, and their tokens together', async () => {
      const one = await ask({ ...user('Tell me something.'), max_tokens: 9, ignore_eos: true });
      const three = await ask({ ...user('Tell me something.'), max_tokens: 9, ignore_eos: true, n: 3 });
      assert.equal(three.choices.length, 3);
      assert.deepEqual([three.usage.prompt_tokens, three.usage.completion_tokens], [one.usage.prompt_tokens, 27]);
      assert.equal(three.usage.total_tokens, one.usage.prompt_tokens + 27);
    });

    test('gives several choices that differ, with a seed of the client’s too', async () => {
      // Without a seed the simulated MLX has the same chances in every request.
      for (const seed of kind === 'mlx' ? [11] : [undefined, 11]) {
        const { choices } = await ask({ ...user('Tell me something.'), n: 3, seed });
        assert.equal(new Set(choices.map(({ content }) => content)).size, 3);
      }
    });

    test('whole answers have their choices in order, each with its index', async () => {
      const { json } = await pair.post(CHAT, { ...user('Tell me something.'), n: 4, stop: ['日'] });
      assert.deepEqual(
        json.choices.map((choice: Json) => choice.index),
        [0, 1, 2, 3],
      );
    });

    test('begins every choice with its role, and ends each by itself', async () => {
      const chunks = await pair.stream(CHAT, { ...user('Tell me something.'), n: 3 });
      const seen: Json = {};
      for (const { choices } of chunks) {
        for (const { index, delta, finish_reason: finish } of choices) {
          if (seen[index] === undefined) assert.equal(delta.role, 'assistant');
          seen[index] = finish ?? 'open';
        }
      }
      assert.deepEqual(seen, { 0: 'stop', 1: 'stop', 2: 'stop' });
    });

    test('tells the end of a choice as soon as it is there, while others go on', async () => {
      const body = { ...user('Tell me something long. #long 200'), n: 2, seed: 5 };
      const texts = (await ask(body)).choices.map(({ content }) => content ?? '');
      // What only the first of them says: its end comes early by it.
      const stop = (texts[0] ?? '').split(' ').find((word) => word.length > 3 && !texts[1]?.includes(word)) ?? '';
      const chunks = await pair.stream(CHAT, { ...body, stop: [stop] });
      const finishOf = (wanted: number) =>
        chunks.findIndex(({ choices }) => choices[0]?.index === wanted && choices[0].finish_reason);
      const told = chatOf(chunks).choices;
      assert.ok((told[0]?.content?.length ?? 0) < (texts[0]?.length ?? 0) / 2, `${stop} in ${texts[0]}`);
      assert.equal(told[1]?.content, texts[1]);
      const later = chunks.slice(finishOf(0) + 1).filter(({ choices }) => choices[0]?.index === 1);
      assert.ok(finishOf(0) < finishOf(1) && later.length > 20, `${later.length} chunks of the other come later`);
    });

    test('keeps to the least number of tokens before it looks for a stop', async () => {
      const body = { ...user('#say one two three one two three'), stop: ['two'], min_tokens: 4 };
      const { choices } = await ask(body);
      assert.equal(choices[0]?.content, 'one two three one ');
    });

    test('refuses in good words what cannot be asked', async () => {
      for (const [body, param] of [
        [{ top_logprobs: 2 }, 'top_logprobs'],
        [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
        [{ n: 129 }, 'n'],
        [{ n: 0 }, 'n'],
        [{ max_tokens: 0 }, 'max_tokens'],
        [{ max_tokens: 2, min_tokens: 3 }, 'min_tokens'],
        [{ tool_choice: 'required' }, 'tool_choice'],
        [{ tools: [WEATHER], tool_choice: { type: 'function', function: { name: 'fly' } } }, 'tool_choice'],
        [{ regex: 'a', ebnf: 'b' }, 'response_format'],
        [{ logit_bias: { token: 1 } }, 'logit_bias'],
        [{ continue_final_message: true }, 'continue_final_message'],
      ] as const) {
        const { status, json, text } = await pair.post(CHAT, { ...user('Hi'), ...body });
        assert.deepEqual([status, json?.error.param], [400, param], `${JSON.stringify(body)} ${text}`);
      }
    });

    test('tells log probabilities of each token with its bytes, which make up the text', async () => {
      for (const extra of [{}, { tools: [WEATHER] }]) {
        const { choices } = await ask({ ...user(`#say ${SAID}`), logprobs: true, top_logprobs: 3, ...extra });
        const entries = choices[0]?.logprobs ?? [];
        const bytes = entries.flatMap((entry) => entry.bytes);
        assert.equal(Buffer.from(bytes).toString(), SAID);
        for (const entry of entries) {
          assert.equal(entry.top_logprobs.length, 3);
          assert.equal(entry.top_logprobs[0].token, entry.token);
          assert.equal(entry.top_logprobs[0].logprob, entry.logprob);
          assert.ok(entry.logprob <= 0);
        }
      }
      const plain = await ask({ ...user(`#say ${SAID}`), logprobs: true });
      assert.deepEqual(plain.choices[0]?.logprobs[0].top_logprobs, []);
    });

    test('ends at a stop string across tokens, cut off or kept, and says so', async () => {
      const asked = user('#say one two three four');
      const cut = await ask({ ...asked, stop: ['o thr', 'zzz'] });
      assert.deepEqual([cut.choices[0]?.content, cut.choices[0]?.finish], ['one tw', 'stop']);
      for (const name of ['no_stop_trim', 'include_stop_str_in_output']) {
        const kept = await ask({ ...asked, stop: 'o thr', [name]: true });
        assert.equal(kept.choices[0]?.content, 'one two thr');
      }
      const { json } = await pair.post(CHAT, { ...asked, stop: ['o thr'] });
      assert.deepEqual([json.choices[0].matched_stop, json.choices[0].stop_reason], ['o thr', 'o thr']);
    });

    test('tells cached tokens of the prompt, with a stop string too', async () => {
      const long = `${'word '.repeat(200)} #say one two three`;
      for (const stop of [undefined, ['two']]) {
        await ask({ ...user(long), stop });
        const { usage } = await ask({ ...user(long), stop });
        assert.ok(usage.prompt_tokens_details.cached_tokens > 50, JSON.stringify(usage));
      }
    });

    test('ends at the token that the client names, and goes on beyond the end token if it shall', async () => {
      const { json: tokens } = await pair.post('/v1/tokenize', { prompt: ' three', add_special_tokens: false });
      const [id] = tokens.tokens;
      const asked = user('#say one two three four');
      const cut = await ask({ ...asked, stop_token_ids: [id] });
      assert.deepEqual([cut.choices[0]?.content, cut.choices[0]?.finish], ['one two', 'stop']);
      const on = await ask({ ...asked, ignore_eos: true, max_tokens: 40 });
      assert.deepEqual([on.choices[0]?.finish, on.usage.completion_tokens], ['length', 40]);
      assert.match(on.choices[0]?.content ?? '', /^one two three four/);
    });

    test('counts thoughts among the tokens of the answer', async () => {
      const { choices, usage } = await ask(user('#think Carefully now, step by step. #say Done.'));
      assert.deepEqual([choices[0]?.reasoning, choices[0]?.content], ['Carefully now, step by step.', 'Done.']);
      const { reasoning_tokens: thought } = usage.completion_tokens_details;
      assert.ok(thought > 4 && thought < usage.completion_tokens, JSON.stringify(usage));
    });

    test('does not think where the client says so, in every way of saying it', async () => {
      const asked = user('#think Long thoughts. #say Done.');
      for (const extra of [
        { enable_thinking: false },
        { chat_template_kwargs: { enable_thinking: false } },
        { reasoning_effort: 'none' },
        { thinking: { type: 'disabled' } },
        { reasoning: { enabled: false } },
      ]) {
        const { choices } = await ask({ ...asked, ...extra });
        assert.deepEqual([choices[0]?.reasoning, choices[0]?.content], ['', 'Done.'], JSON.stringify(extra));
      }
    });

    test('reads calls as calls, and leaves those of unknown tools in the text', async () => {
      const { choices } = await ask({
        ...user('#tool:get_weather {"city": "Bern"} #tool:get_time {}'),
        tools: [WEATHER, TIME],
      });
      assert.deepEqual(
        choices[0]?.calls.map(({ name, arguments: text }) => [name, JSON.parse(text)]),
        [
          ['get_weather', { city: 'Bern' }],
          ['get_time', {}],
        ],
      );
      assert.deepEqual([choices[0]?.finish, choices[0]?.content], ['tool_calls', null]);
      const stranger = await ask({ ...user('#tool:fly {"to": "Mars"}'), tools: [WEATHER] });
      assert.equal(stranger.choices[0]?.finish, 'stop');
      assert.match(stranger.choices[0]?.content ?? '', /fly.*Mars/s);
      const none = await ask({ ...user('#tool:get_time {}'), tools: [TIME], tool_choice: 'none' });
      assert.deepEqual([none.choices[0]?.calls.length, none.choices[0]?.finish], [0, 'stop']);
      const allowed = await ask({
        ...user('#tool:get_time {}'),
        tools: [TIME, WEATHER],
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'get_weather' } }] },
        },
      });
      assert.equal(allowed.choices[0]?.calls.length, 0);
    });

    test('streams the arguments of a call in pieces, the name first', async () => {
      const chunks = await pair.stream(CHAT, {
        ...user('#tool:get_weather {"city": "Llanfairpwllgwyngyllgogerychwyrndrobwll"}'),
        tools: [WEATHER],
      });
      const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
      assert.deepEqual(
        [pieces[0].function.name, pieces[0].function.arguments, pieces[0].type],
        ['get_weather', '', 'function'],
      );
      assert.ok(pieces.length > 5, `${pieces.length} pieces`);
    });

    test('makes the call that is asked for, or says that it cannot be bound', async () => {
      const body = { ...user('#think First. #say Hi'), tools: [WEATHER, TIME] };
      const choices: readonly Json[] = [
        'required',
        { type: 'function', function: { name: 'get_weather' } },
        {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'get_weather' } }] },
        },
      ];
      for (const choice of choices) {
        const whole = await pair.post(CHAT, { ...body, tool_choice: choice });
        if (kind === 'mlx') {
          assert.equal(whole.status, 400, whole.text);
          assert.match(whole.text, /mlx cannot bound/);
          continue;
        }
        assert.equal(whole.status, 200, whole.text);
        const told = chatIn(whole.json).choices[0];
        assert.equal(told?.calls[0]?.name, 'get_weather');
        assert.equal(typeof JSON.parse(told?.calls[0]?.arguments ?? '').city, 'string');
        assert.equal(told?.finish, 'tool_calls');
        const streamed = chatOf(await pair.stream(CHAT, { ...body, tool_choice: choice, ...USAGE }));
        assert.deepEqual(withoutIds(streamed).choices, withoutIds(chatIn(whole.json)).choices);
      }
    });

    test('goes on with the message that the client began', async () => {
      const messages = [
        { role: 'user', content: '#recall' },
        { role: 'assistant', content: 'It was a dark' },
      ];
      const reply = await pair.post(CHAT, { messages, continue_final_message: true });
      assert.equal(reply.status, 200, reply.text);
      assert.match(pair.sent().tokenized.original_text, /<\|im_start\|>assistant\nIt was a dark$/);
      const prefill = await pair.post('/v1/messages', { max_tokens: 99, messages });
      assert.equal(prefill.status, 200, prefill.text);
      assert.match(pair.sent().tokenized.original_text, /<\|im_start\|>assistant\nIt was a dark$/);
    });

    test('refuses with the numbers what does not fit the context, in the words of each API', async () => {
      const long = 'word '.repeat(140_000);
      const tooLong = [
        [CHAT, user(long)],
        ['/v1/completions', { prompt: long }],
        ['/v1/messages', { ...user(long), max_tokens: 10 }],
        ['/v1/responses', { input: long }],
        [`/v1beta/models/Qwen3-Sim:generateContent`, { contents: [{ role: 'user', parts: [{ text: long }] }] }],
        ['/generate', { text: long }],
      ] as const;
      for (const [path, body] of tooLong) {
        const reply = await pair.post(path, body);
        assert.equal(reply.status, 400, `${path} ${reply.text.slice(0, 200)}`);
        assert.match(reply.text, /131072 tokens; the prompt has \d{6}/, path);
      }
      const tooMuch = await pair.post(CHAT, { ...user('Hi'), max_tokens: 131_072 });
      assert.equal(tooMuch.status, 400);
      assert.match(tooMuch.text, /131072 tokens; the prompt has \d+ and 131072 more/);
    });
  });
}

describe('what is recorded of calls over gRPC', () => {
  for (const kind of GRPC_KINDS) {
    test(`${kind}: the tokens of streams and whole answers, as the client is told them`, async (t) => {
      const pair = await startPair({ kind }, { disableMetrics: false, prometheusHost: '127.0.0.1', prometheusPort: 0 });
      t.after(() => pair.close());
      let input = 0;
      let output = 0;
      for (const stop of [undefined, ['two']]) {
        const body = { ...user('#say one two three'), stop };
        const { usage } = (await pair.post(CHAT, body)).json;
        const streamed = chatOf(await pair.stream(CHAT, { ...body, ...USAGE })).usage;
        const { usage: plain } = (await pair.post('/v1/completions', { prompt: '#say one two three', stop })).json;
        for (const each of [usage, streamed, plain]) {
          input += each.prompt_tokens;
          output += each.completion_tokens;
        }
      }
      const text = await (await fetch(pair.gateway.metricsUrl ?? '')).text();
      const countOf = (type: string) =>
        text
          .split('\n')
          .filter((line) => line.startsWith('smg_') && line.includes('tokens_total') && line.includes(`"${type}"`))
          .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
      assert.deepEqual([countOf('input'), countOf('output')], [input, output], text.slice(0, 500));
    });
  }
});
