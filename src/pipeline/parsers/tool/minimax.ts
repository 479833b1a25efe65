/** `<minimax:tool_call>` around `<invoke name="…">` and their `<parameter name="…">`. Source: MiniMax M2, "Tool Calling Guide". */
import { defineToolFormat } from './define.ts';
import { invokeGrammar } from './invoke.ts';

const OPENING = '<minimax:tool_call>';
const CLOSING = '</minimax:tool_call>';

export const minimax = defineToolFormat({
  id: 'minimax_m2',
  models: ['minimax'],
  markers: [OPENING, CLOSING],
  grammar: invokeGrammar({
    opening: OPENING,
    closing: CLOSING,
    before: [],
    after: [],
    invoke: '<invoke',
    invokeEnd: '</invoke>',
    parameter: '<parameter',
    parameterEnd: '</parameter>',
    framesValues: true,
    escapesEntities: true,
  }),
});
