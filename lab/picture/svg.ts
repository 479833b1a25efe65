/** A small SVG writer: elements as text, with everything escaped that XML wants escaped. Owns no layout. */

type Attributes = Readonly<Record<string, string | number>>;

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(shorten(value))}"`);
  const open = `<${name}${written.join('')}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`;
}

/** A heading in bold and what explains it behind it, in one line. */
export function heading(bold: string, plain: { text: string; fill: string }, at: Attributes): string {
  const explanation = element('tspan', { dx: 8, 'font-weight': 400, fill: plain.fill }, escape(plain.text));
  return element('text', { 'font-weight': 600, ...at }, escape(bold), explanation);
}

/** Text whose left, middle or right end is at `x`. */
export function label(text: string, at: { x: number; y: number }, look: Attributes = {}): string {
  return element('text', { ...at, ...look }, escape(text));
}

export function line(from: readonly [number, number], to: readonly [number, number], look: Attributes): string {
  return element('line', { x1: from[0], y1: from[1], x2: to[0], y2: to[1], ...look });
}

/** Joins points by lines; undefined ones leave a gap. A point between two gaps becomes a dot. */
export function polyline(points: readonly (readonly [number, number] | undefined)[], look: Attributes): string {
  let path = '';
  points.forEach((point, index) => {
    if (point === undefined) return;
    const follows = points[index - 1] !== undefined;
    const text = point.map(shorten).join(' ');
    path += follows ? `L${text}` : `M${text}`;
    if (!follows && points[index + 1] === undefined) path += `L${text}`;
  });
  return path === '' ? '' : element('path', { d: path, fill: 'none', ...look });
}

/** The whole file. */
export function document(size: { width: number; height: number }, children: readonly string[]): string {
  const { width, height } = size;
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${shorten(width)} ${shorten(height)}`,
    width,
    height,
    'font-family': 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif',
    'font-size': 12,
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('svg', attributes, ...children.map((child) => `\n${child}`))}\n`;
}

/** A tenth of a pixel is as fine as anybody sees. */
function shorten(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : value;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  // Control characters have no place in XML at all.
  return text.replace(/\p{Cc}/gu, ' ').replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
