import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharingTrace } from '../../test/support/lab.ts';
import { compare } from '../../lab/report/compare.ts';
import { subjectOf, YARDSTICK } from '../../lab/subjects.ts';
import { renderSection } from '../report/section.ts';
import { goalText, scenariosOf } from './scenarios.ts';
import { sectionOf } from './section.ts';

const FROM = {
  commit: 'c',
  node: 'v24',
  cpu: '1 × x',
  cores: 'one',
  date: 'today',
  command: 'npm run bench:routing --',
};

test('a goal says whether it was reached, with enough digits to see why not', () => {
  assert.equal(
    goalText({ name: 'hit rate / ideal', value: 0.9696, limit: 0.97, direction: 'at least' }),
    'hit rate / ideal 0.970 (goal ≥ 0.97): NOT reached',
  );
  assert.match(goalText({ name: 'busiest/mean', value: 1.1, limit: 1.1, direction: 'at most' }), /: reached$/);
  assert.match(goalText({ name: 'busiest/mean', value: Number.NaN, limit: 1.1, direction: 'at most' }), /NOT reached$/);
});

test('without the trace two loads are left out and the section says so', () => {
  const [unbounded, bounded, shared] = scenariosOf(undefined, {});
  assert.deepEqual([unbounded?.trace, bounded?.trace, shared?.trace === undefined], [undefined, undefined, false]);
  const text = renderSection(
    sectionOf(
      scenariosOf(undefined, {}).map((scenario) => ({ scenario, comparison: undefined })),
      FROM,
    ),
  );
  assert.match(text, /trace, unbounded caches: not run, its trace is not on this machine/);
});

test('the section has a row for each policy, the bound, and goals beside the yardstick', () => {
  const [scenario] = scenariosOf(sharingTrace(40), {});
  assert.ok(scenario?.trace !== undefined);
  const subjects = ['least_load', YARDSTICK].map((word) => subjectOf(word));
  const comparison = compare(scenario.trace, scenario.setting, { subjects, stopwatch: () => 0 });
  const text = renderSection(sectionOf([{ scenario, comparison }], FROM));
  assert.match(text, /\| trace, unbounded caches \| least_load +\|/);
  assert.match(text, /40 calls\): ideal, one infinite cache, finds \d+\.\d%/);
  assert.match(text, /least_load: hit rate \/ ideal \d\.\d{3} \(goal ≥ 0\.97\): .*TTFT p99 \/ the original's \d/);
});
