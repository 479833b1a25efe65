/** How the answers of each model are read: as the operator says, else by the model's name. */
import type { Config } from '../config/schema.ts';
import type { FormsOf, ModelForms } from '../dispatch/tokens/token-forms.ts';
import { REASONING_FORMATS } from '../pipeline/parsers/reasoning/index.ts';
import { selectFormat } from '../pipeline/parsers/select-format.ts';
import { TOOL_FORMATS } from '../pipeline/parsers/tool/index.ts';

/** Model ids are few; they are looked at once. */
export function tokenForms({ toolCallParser, reasoningParser }: Config): FormsOf {
  const known = new Map<string, ModelForms>();
  return (model) => {
    let forms = known.get(model);
    if (!forms) {
      forms = {
        reasoning: selectFormat(REASONING_FORMATS, model, reasoningParser),
        tools: selectFormat(TOOL_FORMATS, model, toolCallParser),
        isToolsChosen: toolCallParser !== undefined,
      };
      if (known.size < MAX_KNOWN) known.set(model, forms);
    }
    return forms;
  };
}

/** Names come from clients where workers take any. */
const MAX_KNOWN = 1_000;
