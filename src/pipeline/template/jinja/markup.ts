/** HTML escaping, which templates may ask for by `escape`. */
import type { Budget } from './budget.ts';
import { str } from './print.ts';
import { Markup } from './values.ts';
import type { Value } from './values.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
};

/** Safe text of any value; what is Markup already stays. */
export function escapeText(value: Value, budget: Budget): string {
  if (value instanceof Markup) return value.text;
  const text = str(value, budget);
  budget.scan(text.length);
  const escaped = text.replace(/[&<>'"]/g, (character) => ENTITIES[character] ?? character);
  budget.write(escaped.length);
  return escaped;
}
