import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, sharingTrace, traceOf } from '../../test/support/lab.ts';
import { DEFAULT_SETTING, type Setting } from '../replay/setting.ts';
import { compare } from '../report/compare.ts';
import { subjectOf } from '../subjects.ts';
import type { Trace } from '../trace/call.ts';
import { drawComparison } from './picture.ts';
import { duration, logMarks, timeMarks } from './scale.ts';
import { loadsOver, stepsOver, waitingOver } from './series.ts';
import { Outcomes } from '../replay/outcome.ts';

function draw(trace: Trace, words: readonly string[], change: Partial<Setting> = {}): string {
  const subjects = words.map((word) => subjectOf(word));
  return drawComparison(compare(trace, { ...DEFAULT_SETTING, ...change }, { subjects, stopwatch: () => 0 }));
}

/** Every element is closed by its own name, attributes are quoted and there is one root. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  let roots = 0;
  const body = xml.replace(/^<\?xml [^>]*\?>\n/, '');
  const rest = body.replaceAll(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)(\/?)>/g,
    (_, end, name, __, empty) => {
      if (end === '/') assert.equal(open.pop(), name);
      else {
        if (open.length === 0) roots += 1;
        if (empty === '') open.push(name);
      }
      return '';
    },
  );
  assert.deepEqual([open.length, roots], [0, 1]);
  assert.ok(!/[<>]|&(?!(?:amp|lt|gt|quot);)/.test(rest), 'there is more than elements and text');
}

test('is well-formed and has a line for each policy and a row for each worker', () => {
  const svg = draw(sharingTrace(100), ['round_robin', 'least_load', 'random']);
  assertWellFormed(svg);
  assert.equal([...svg.matchAll(/<path /g)].length, 3);
  assert.equal(new Set([...svg.matchAll(/<rect x="78" y="([\d.]+)"/g)].map((match) => match[1])).size, 3 * 8);
  assert.ok(!/NaN|undefined|Infinity/.test(svg));
});

test('escapes what a file name may hold', () => {
  const trace = { ...sharingTrace(5), name: 'a<b>&"c"\u0007.jsonl' };
  const svg = draw(trace, ['round_robin']);
  assertWellFormed(svg);
  assert.ok(svg.includes('a&lt;b&gt;&amp;&quot;c&quot; .jsonl'));
});

test('draws one call on one worker, refused calls, and more workers than there are rows', () => {
  for (const svg of [
    draw(traceOf(callOf([1])), ['round_robin'], { workers: 1 }),
    draw(traceOf(callOf([1, 2, 3])), ['round_robin'], { kvTokens: 600 }),
    draw(
      sharingTrace(50),
      Array.from({ length: 9 }, () => 'random'),
      { workers: 200 },
    ),
  ]) {
    assertWellFormed(svg);
    assert.ok(!/NaN|undefined|Infinity/.test(svg));
  }
});

test('steps of time hold the mean wait of those that arrived and the mean load of each worker', () => {
  const trace = traceOf(callOf([1], { arrivedMs: 0 }), callOf([1], { arrivedMs: 10 }), callOf([1], { arrivedMs: 60 }));
  const outcomes = new Outcomes(trace);
  outcomes.worker.set([0, 0, 1]);
  outcomes.firstTokenMs.set([5, 25, 70]);
  outcomes.finishedMs.set([50, 100, 100]);
  const steps = stepsOver([outcomes], 4);
  assert.deepEqual(steps, { count: 4, stepMs: 25 });
  assert.deepEqual(waitingOver(trace, outcomes, steps), [10, undefined, 10, undefined]);
  assert.deepEqual(
    loadsOver(trace, outcomes, { steps, workers: 2 }).map((load) => [...load]),
    [
      [1.6, 2, 1, 1],
      [0, 0, 0.6, 1],
    ],
  );
});

test('axes are marked at round values', () => {
  assert.deepEqual(logMarks([12, 250]), [10, 30, 100, 300]);
  assert.deepEqual(logMarks([10, 10]), [10, 30]);
  assert.deepEqual(logMarks([]), [1, 3]);
  assert.deepEqual(timeMarks(61_000), [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  assert.ok(timeMarks(30 * 86_400_000).length < 15);
  assert.deepEqual([0.5, 7619, 59_999, 1_022_025].map(duration), ['0.5 ms', '7.6 s', '60 s', '17 min']);
});
