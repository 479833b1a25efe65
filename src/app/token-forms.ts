/** How the answers of each model are read: as the operator says, else by the model's name. */
import type { Config } from '../config/schema.ts';
import type { FormsOf, ModelForms } from '../dispatch/tokens/token-forms.ts';
import { HARMONY_IDS, harmony, speaksHarmony } from '../pipeline/parsers/harmony/format.ts';
import { REASONING_FORMATS } from '../pipeline/parsers/reasoning/index.ts';
import { selectFormat } from '../pipeline/parsers/select-format.ts';
import { TOOL_FORMATS } from '../pipeline/parsers/tool/index.ts';

type Choice = Pick<Config, 'toolCallParser' | 'reasoningParser'>;

/** Model ids are few; they are looked at once. */
export function tokenForms({ toolCallParser, reasoningParser }: Choice): FormsOf {
  const known = new Map<string, ModelForms>();
  const ofWhole = { reasoning: undefined, tools: undefined, whole: harmony, isToolsChosen: false };
  const isChosen = [toolCallParser, reasoningParser].some((id) => id !== undefined && HARMONY_IDS.includes(id));
  const isOpen = toolCallParser === undefined && reasoningParser === undefined;
  return (model, facts) => {
    if (isChosen || (isOpen && (isNamedSo(model) || speaksHarmony(facts)))) return ofWhole;
    let forms = known.get(model);
    if (!forms) {
      forms = {
        reasoning: selectFormat(REASONING_FORMATS, model, reasoningParser),
        tools: selectFormat(TOOL_FORMATS, model, toolCallParser),
        whole: undefined,
        isToolsChosen: toolCallParser !== undefined,
      };
      if (known.size < MAX_KNOWN) known.set(model, forms);
    }
    return forms;
  };
}

const isNamedSo = (model: string): boolean => selectFormat([harmony], model, undefined) !== undefined;

/** Names come from clients where workers take any. */
const MAX_KNOWN = 1_000;
