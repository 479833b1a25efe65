/**
 * An aligned Markdown table, readable in a terminal and in RESULTS.md alike.
 * Shapes  renderTable({ columns, rows }) → text without a trailing newline
 * Errors  throws when a row has another number of cells than there are columns
 */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function renderTable(table: Table): string {
  for (const row of table.rows) {
    if (row.length !== table.columns.length) throw new Error(`${row.length} cells for ${table.columns.length} columns`);
  }
  const lines = [table.columns, ...table.rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = table.columns.map((_, index) => Math.max(3, ...lines.map((row) => (row[index] ?? '').length)));
  const isNumeric = table.columns.map(
    (_, index) => index > 0 && table.rows.every((row) => /^[-–+\d]/.test(row[index] ?? '')),
  );
  const render = (row: readonly string[]) => {
    const cells = row.map((cell, index) => {
      const width = widths[index] ?? 0;
      return isNumeric[index] === true ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${cells.join(' | ')} |`;
  };
  const rule = widths.map((width, index) =>
    isNumeric[index] === true ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  const [head = [], ...body] = lines;
  return [render(head), `| ${rule.join(' | ')} |`, ...body.map(render)].join('\n');
}

/** 12345.6 → '12,346'; 1.234 → '1.23': three significant digits, whole numbers from 100. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 10 ? 1 : 2);
}

export function megabytes(bytes: number): string {
  return Number.isFinite(bytes) ? (bytes / 2 ** 20).toFixed(0) : '–';
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(0)}%` : '–';
}
