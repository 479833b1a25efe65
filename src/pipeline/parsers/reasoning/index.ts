/** The forms in which models write thoughts: one line for each. */
import { HARMONY_IDS } from '../harmony/format.ts';
import type { ReasoningFormat } from '../parser.ts';
import { selectFormat } from '../select-format.ts';

const TAGS = ['<think>', '</think>'] as const;

interface Habits {
  readonly startsInside?: boolean;
  readonly alsoEndsBefore?: readonly string[];
  readonly alsoDrops?: readonly string[];
  readonly markers?: readonly string[];
}

function format(id: string, models: readonly string[], marks: readonly [string, string], habits: Habits = {}) {
  const [opening, closing] = marks;
  const usual = { startsInside: false, alsoEndsBefore: [], alsoDrops: [], markers: marks };
  return { id, models, opening, closing, ...usual, ...habits };
}

const INSIDE: Habits = { startsInside: true };
const KIMI_CALLS: Habits = { alsoEndsBefore: ['<|tool_calls_section_begin|>'] };
const KIMI_K3: Habits = {
  alsoEndsBefore: ['<|open|>response<|sep|>', '<|open|>tools<|sep|>'],
  alsoDrops: ['response', 'message'].flatMap((part) => [`<|open|>${part}<|sep|>`, `<|close|>${part}<|sep|>`]),
  markers: ['<|open|>', '<|close|>', '<|sep|>'],
};

/** Sources: the models' cards and chat templates; the lists of reasoning parsers of SGLang and vLLM. */
export const REASONING_FORMATS: readonly ReasoningFormat[] = [
  format('deepseek_r1', ['deepseek-r1'], TAGS, INSIDE),
  format('deepseek_v31', ['deepseek-v3.1', 'deepseek-v3-1', 'deepseek-v3.2', 'deepseek-v3-2', 'deepseek-v4'], TAGS),
  format('qwen3_thinking', ['qwen3-thinking', 'qwen-thinking'], TAGS, INSIDE),
  format('qwen3', ['qwen3', 'qwen'], TAGS),
  format(
    'glm45',
    ['glm45', 'glm46', 'glm47', 'glm-4.5', 'glm-4.6', 'glm-4.7', 'glm-4-5', 'glm-4-6', 'glm-4-7', 'glm-5'],
    TAGS,
  ),
  format('kimi_thinking', ['kimi-k2-thinking'], TAGS, { ...INSIDE, ...KIMI_CALLS }),
  format('kimi_k25', ['kimi-k2.5', 'kimi-k2-5'], TAGS, KIMI_CALLS),
  format('kimi_k3', ['kimi-k3', 'kimi_k3'], ['<|open|>think<|sep|>', '<|close|>think<|sep|>'], KIMI_K3),
  format('kimi', ['kimi'], ['◁think▷', '◁/think▷']),
  format('step3', ['step3', 'step-3'], TAGS, INSIDE),
  format('minimax', ['minimax', 'mm-m2'], TAGS, INSIDE),
  format(
    'cohere_cmd',
    ['command-r', 'command-a', 'c4ai-command', 'cohere'],
    ['<|START_THINKING|>', '<|END_THINKING|>'],
  ),
  format('nano_v3', ['nemotron-nano', 'nemotron-super', 'nano-v3'], TAGS),
  format('mistral', ['magistral', 'ministral-3'], ['[THINK]', '[/THINK]']),
  format('base', [], TAGS),
];

export const REASONING_FORMAT_IDS: readonly string[] = [
  ...REASONING_FORMATS.map(({ id }) => id),
  ...HARMONY_IDS,
  'passthrough',
];

/** `explicit`: the id that an option names; unknown ones are refused where options are read. Undefined: no thoughts are told apart. */
export function selectReasoningParser(modelId: string, explicit: string | undefined): ReasoningFormat | undefined {
  return selectFormat(REASONING_FORMATS, modelId, explicit);
}
