/**
 * A chat template of our own that writes Harmony, as demanding as that of gpt-oss: it adds texts together without asking
 * what they are, takes one call in a message, and names results after the last call.
 */
export const HARMONY_TEMPLATE = `{%- macro type_of(spec) -%}
{%- if spec.enum -%}{{ spec.enum | map('tojson') | join(' | ') }}
{%- elif spec.type in ['integer', 'number'] -%}number
{%- elif spec.type in ['string', 'boolean'] -%}{{ spec.type }}
{%- else -%}any{%- endif -%}
{%- endmacro -%}
{%- macro functions_of(all) -%}
{{ "namespace functions {\\n\\n" }}
{%- for tool in all -%}
{%- set one = tool.function -%}
{{ "// " + one.description + "\\n" }}{{ "type " + one.name + " = " }}
{%- if one.parameters.properties -%}
{{ "(_: {\\n" }}
{%- for name, spec in one.parameters.properties.items() -%}
{{ name }}{{ "" if name in (one.parameters.required or []) else "?" }}: {{ type_of(spec) }},{{ "\\n" }}
{%- endfor -%}
{{ "}) => any;\\n\\n" }}
{%- else -%}
{{ "() => any;\\n\\n" }}
{%- endif -%}
{%- endfor -%}
{{ "} // namespace functions" }}
{%- endmacro -%}
{{ "<|start|>system<|message|>" + (model_identity or "You are a model.") + "\\nCurrent date: " + strftime_now("%Y") }}
{%- if reasoning_effort is not defined %}{% set reasoning_effort = "medium" %}{% endif -%}
{{ "\\nReasoning: " + reasoning_effort }}{{ "\\nTools: " + builtin_tools | join(",") if builtin_tools else "" }}<|end|>
{%- if messages[0].role in ["system", "developer"] -%}
{%- set instructions = messages[0].content %}{% set others = messages[1:] -%}
{%- else -%}
{%- set instructions = "" %}{% set others = messages -%}
{%- endif -%}
{%- if instructions or tools -%}
{{ "<|start|>developer<|message|>" + instructions }}{{ functions_of(tools) if tools else "" }}<|end|>
{%- endif -%}
{%- set last = namespace(name=none) -%}
{%- for message in others -%}
{%- if "content" in message and message.role == "assistant" and "<|channel|>final" in message.content -%}
{{ raise_exception("content has channels") }}
{%- endif -%}
{%- if message.role == "assistant" and "tool_calls" in message -%}
{%- if message.content and message.thinking -%}{{ raise_exception("content and thinking") }}{%- endif -%}
{%- if message.tool_calls | length > 1 -%}{{ raise_exception("two calls") }}{%- endif -%}
{%- set answered = namespace(found=false) -%}
{%- for later in others[loop.index:] -%}
{%- if later.role == "assistant" and "tool_calls" not in later -%}{%- set answered.found = true -%}{%- endif -%}
{%- endfor -%}
{%- if message.thinking and not answered.found -%}
{{ "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}
{%- endif -%}
{%- set call = message.tool_calls[0].function -%}
{{ "<|start|>assistant to=functions." + call.name + "<|channel|>commentary json<|message|>" }}
{{- call.arguments | tojson }}<|call|>
{%- set last.name = call.name -%}
{%- elif message.role == "assistant" -%}
{{ "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|end|>" }}
{%- set last.name = none -%}
{%- elif message.role == "tool" -%}
{%- if last.name is none -%}{{ raise_exception("a result without a call") }}{%- endif -%}
{{ "<|start|>functions." + last.name + " to=assistant<|channel|>commentary<|message|>" }}{{ message.content | tojson }}<|end|>
{%- elif message.role == "user" -%}
{{ "<|start|>user<|message|>" + message.content + "<|end|>" }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}
`;
