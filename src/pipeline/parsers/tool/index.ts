/** The forms in which models write calls: one line for each. */
import { HARMONY_IDS } from '../harmony/format.ts';
import type { ToolFormat } from '../parser.ts';
import { selectFormat } from '../select-format.ts';
import { cohere } from './cohere.ts';
import { deepseek32, deepseekV4 } from './deepseek-dsml.ts';
import { deepseek, deepseek31 } from './deepseek.ts';
import { glm45, glm47 } from './glm.ts';
import { json } from './json.ts';
import { kimiK3 } from './kimi-k3.ts';
import { kimik2 } from './kimik2.ts';
import { llama } from './llama.ts';
import { minimax } from './minimax.ts';
import { mistral } from './mistral.ts';
import { pythonic } from './pythonic.ts';
import { qwenCoder, qwenXml } from './qwen-xml.ts';
import { qwen } from './qwen.ts';
import { sarashina } from './sarashina.ts';
import { step3 } from './step3.ts';

export const TOOL_FORMATS: readonly ToolFormat[] = [
  json,
  mistral,
  qwen,
  qwenXml,
  qwenCoder,
  pythonic,
  llama,
  deepseek,
  deepseek31,
  deepseek32,
  deepseekV4,
  glm45,
  glm47,
  step3,
  sarashina,
  kimik2,
  kimiK3,
  minimax,
  cohere,
];

export const TOOL_FORMAT_IDS: readonly string[] = [...TOOL_FORMATS.map(({ id }) => id), ...HARMONY_IDS, 'passthrough'];

/** `explicit`: the id that an option names; unknown ones are refused where options are read. Undefined: calls stay text. */
export function selectToolParser(modelId: string, explicit: string | undefined): ToolFormat | undefined {
  return selectFormat(TOOL_FORMATS, modelId, explicit);
}
