import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from '../../lab/report/compare.ts';
import { subjectOf } from '../../lab/subjects.ts';
import { sharingTrace } from '../../test/support/lab.ts';
import { renderSection } from '../report/section.ts';
import { runTokenLoads, TOKEN_SUBJECTS, tokenLoadsOf, tokenSectionOf } from './tokens.ts';

const FROM = {
  commit: 'c',
  node: 'v24',
  cpu: '1 × x',
  cores: 'one',
  date: 'today',
  command: 'npm run bench:routing --',
};

test('without the trace its loads are left out', () => {
  assert.equal(tokenLoadsOf(undefined, {}).length, 3);
  const loads = tokenLoadsOf(sharingTrace(30), {});
  assert.deepEqual([loads.length, loads[0]?.trace.blockSize], [5, 16]);
});

test('each load has a row for each policy and each way to see prompts', () => {
  const loads = tokenLoadsOf(sharingTrace(30), {}).slice(0, 2);
  const subjects = TOKEN_SUBJECTS.map((word) => subjectOf(word));
  const runs = runTokenLoads(loads, (trace, setting) => compare(trace, setting, { subjects, stopwatch: () => 0 }));
  const text = renderSection(tokenSectionOf(runs, FROM));
  for (const name of TOKEN_SUBJECTS)
    for (const view of ['text', 'tokens/16', 'tokens/128'])
      assert.match(text, new RegExp(`\\| trace, unbounded caches +\\| ${name} +\\| ${view} +\\| +\\d+\\.\\d%`));
  assert.equal(text.split('\n').filter((line) => line.startsWith('| trace,')).length, 2 * 2 * 5);
});
