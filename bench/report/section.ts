/**
 * One measured thing as it is printed and kept: table, goals, notes, failures, and where and how it was measured.
 * Shapes  Section → renderSection(section) → Markdown; judge(goal) → Verdict
 * Errors  none; a goal that could not be measured says so instead of counting as met
 */
import { renderTable, type Table } from './table.ts';

export interface Goal {
  readonly name: string;
  readonly value: number | undefined;
  readonly limit: number;
  readonly direction: 'at least' | 'at most';
  readonly unit: string;
}

export interface Provenance {
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: string;
  readonly date: string;
  readonly command: string;
}

export interface Section {
  readonly title: string;
  readonly provenance: Provenance;
  readonly table: Table;
  /** Further tables, below the notes. */
  readonly more?: readonly { readonly title: string; readonly table: Table }[];
  readonly goals: readonly Goal[];
  readonly notes: readonly string[];
  readonly failures: readonly string[];
}

export function goalLine(goal: Goal): string {
  const sign = goal.direction === 'at least' ? '≥' : '≤';
  const limit = `goal ${sign} ${goal.limit}${goal.unit}`;
  if (goal.value === undefined || !Number.isFinite(goal.value)) return `${goal.name}: not measured (${limit})`;
  const isMet = goal.direction === 'at least' ? goal.value >= goal.limit : goal.value <= goal.limit;
  const value = goal.value.toFixed(goal.limit < 10 ? 2 : 0);
  return `${goal.name}: ${value}${goal.unit} (${limit}): ${isMet ? 'met' : 'NOT MET'}`;
}

export function renderSection(section: Section): string {
  const { provenance: from } = section;
  const lines = [
    `## ${section.title}`,
    '',
    `${from.date} · commit ${from.commit} · Node ${from.node} · ${from.cpu} · ${from.cores}`,
    '',
    `\`${from.command}\``,
    '',
    renderTable(section.table),
    '',
    ...bullets(section.goals.map(goalLine)),
    ...bullets(section.notes),
    ...(section.more ?? []).flatMap(({ title, table }) => [`### ${title}`, '', renderTable(table), '']),
    ...bullets(section.failures.map((failure) => `FAILED ${failure}`)),
  ];
  return lines.join('\n');
}

function bullets(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [...lines.map((line) => `- ${line}`), ''];
}
