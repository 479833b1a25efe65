/** Nine conversations that every template is rendered with: what clients send, and what they should not. */

export interface Conversation {
  readonly name: string;
  readonly messages: string;
  readonly tools?: string;
  readonly variables?: string;
  readonly addGenerationPrompt: boolean;
}

const json = (value: unknown): string => JSON.stringify(value);
const user = (content: unknown): object => ({ role: 'user', content });
const assistant = (content: unknown, more: object = {}): object => ({ role: 'assistant', content, ...more });

/** As text, because numbers have to keep their form and some keys look like numbers. */
const TOOLS = `[{"type":"function","function":{"name":"get_weather","description":"The weather at a place, in \\"words\\" & numbers <now>.",
"parameters":{"type":"object","properties":{"city":{"type":"string","description":"Name of the city"},
"days":{"type":"integer","minimum":1,"default":1.0},"unit":{"type":["string","null"],"enum":["C","F",null]},
"1":{"type":"array","items":{"type":"number"}}},"required":["city"],"additionalProperties":false}}},
{"type":"function","function":{"name":"now","description":"Time","parameters":{"type":"object","properties":{}}}}]`;

const CALL = (id: string, name: string, args: unknown): object => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

const LONG = Array.from({ length: 40 }, (_, turn) =>
  turn % 2 === 0
    ? user(`Question ${turn}: ${'why is that so? '.repeat(20)}`)
    : assistant(`  Answer ${turn}.\n${'Because it is.\t'.repeat(20)}\n`),
);

export const CONVERSATIONS: readonly Conversation[] = [
  { name: 'plain', messages: json([user('Hello, who are you?')]), addGenerationPrompt: true },
  {
    name: 'system',
    messages: json([
      { role: 'system', content: '  Answer in "verse".\n' },
      user('Hi!\r\nI said 😀'),
      assistant('Oh <b>hi</b>'),
      user(' And now? '),
    ]),
    addGenerationPrompt: true,
  },
  {
    name: 'tools',
    messages: json([{ role: 'system', content: 'Use the tools.' }, user('Weather in Zürich?')]),
    tools: TOOLS,
    addGenerationPrompt: true,
  },
  {
    name: 'tool results',
    messages: json([
      user('Weather in Paris and the time?'),
      assistant('', {
        tool_calls: [
          CALL('call12345', 'get_weather', { city: 'Paris', days: 2, unit: null, list: [1.5, true, 'x'] }),
          CALL('call67890', 'now', {}),
        ],
      }),
      {
        role: 'tool',
        tool_call_id: 'call12345',
        name: 'get_weather',
        content: '{"temperature": 21.0, "sky": "clear"}',
      },
      { role: 'tool', tool_call_id: 'call67890', name: 'now', content: '12:00' },
      assistant('It is 21 °C.'),
      user('Thanks. And in Rome?'),
    ]),
    tools: TOOLS,
    addGenerationPrompt: true,
  },
  {
    name: 'thinking',
    messages: json([
      user('What is 2 + 2?'),
      assistant('4', { reasoning_content: 'Two and two are four.', thinking: 'Two and two are four.' }),
      user('Sure?'),
      assistant('<think>\nLet me see.\n</think>\n\nYes.'),
      user('Really?'),
    ]),
    variables: json({ enable_thinking: false, thinking: true, reasoning_effort: 'high' }),
    addGenerationPrompt: true,
  },
  {
    name: 'images',
    messages: json([
      { role: 'system', content: [{ type: 'text', text: 'You see pictures.' }] },
      user([
        { type: 'image', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'text', text: 'What is on it?' },
      ]),
      assistant([{ type: 'text', text: 'A cat.' }]),
      user([{ type: 'text', text: 'Its colour?' }]),
    ]),
    addGenerationPrompt: true,
  },
  { name: 'empty', messages: '[]', addGenerationPrompt: false },
  { name: 'long', messages: json([{ role: 'system', content: 'Be long.' }, ...LONG]), addGenerationPrompt: false },
  {
    name: 'odd roles',
    messages: json([
      assistant(null),
      { role: 'developer', content: 'Be odd.' },
      { role: 'narrator', content: 'Meanwhile …' },
      user(''),
      user('Two in a row'),
      { role: 'ipython', content: { result: 1.0, '2': [null, 1e-7] } },
      { content: 'no role' },
    ]),
    variables: '{"documents":[{"title":"A","text":"B"}],"date_string":"7 Mar 2026","custom_tools":null,"1":2}',
    addGenerationPrompt: true,
  },
];
