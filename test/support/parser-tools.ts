/** The tools that the answers in the parsers' fixtures call: hyphens and dots in names, every type of argument. */
import type { FunctionTool } from '../../src/domain/generation.ts';

function tool(name: string, properties: object): FunctionTool {
  const schemaText = JSON.stringify({ type: 'object', properties });
  return { type: 'function', name, description: undefined, schemaText, isStrict: undefined, cache: undefined };
}

export const TOOLS: readonly FunctionTool[] = [
  tool('get_weather', {
    location: { type: 'string' },
    days: { type: 'integer' },
    unit: { enum: ['celsius', 'fahrenheit'] },
  }),
  tool('search-docs', {
    query: { type: 'string' },
    filters: { type: 'object' },
    limit: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    exact: { type: 'boolean' },
  }),
  tool('run_code', { code: { type: 'string' } }),
  tool('set.point', { x: { type: 'number' }, y: { type: 'number' } }),
  tool('ping', {}),
];
