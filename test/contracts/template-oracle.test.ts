/**
 * The templates of real models, each with nine conversations, with and without the prompt for an answer: the same
 * text as Python's Jinja set up as transformers does it, and an error where it raises one. Python judges where it is
 * installed; what it said before is kept as hashes, so that the comparison always runs.
 * `SMG_WRITE_FIXTURES=1` keeps what Python says now.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CONVERSATIONS } from './template/conversations.ts';
import type { Conversation } from './template/conversations.ts';
import { readCorpus } from './template/corpus.ts';
import type { CorpusTemplate } from './template/corpus.ts';
import { askOracle, oracleIsMissing } from './template/oracle.ts';
import type { OracleJob, Outcome } from './template/oracle.ts';
import { renderJob } from './template/render.ts';

interface NamedJob extends OracleJob {
  readonly name: string;
}

const FIXTURES = new URL('../fixtures/templates/', import.meta.url);
const RENDERINGS = new URL('renderings.json', FIXTURES);
const PROBES = new URL('probes.json', FIXTURES);
const isWriting = process.env['SMG_WRITE_FIXTURES'] === '1';
const missing = oracleIsMissing();
const skip = missing === undefined ? false : missing;

const corpus = await readCorpus();
const jobs = corpus.flatMap((template) =>
  CONVERSATIONS.flatMap((conversation) => [true, false].map((isAsked) => jobOf(template, conversation, isAsked))),
);

function jobOf(template: CorpusTemplate, conversation: Conversation, isAsked: boolean): NamedJob {
  const tokens = JSON.stringify(template.specialTokens).slice(1, -1);
  const more = conversation.variables?.slice(1, -1);
  const fields = [
    tokens,
    `"messages":${conversation.messages}`,
    `"tools":${conversation.tools ?? 'null'}`,
    '"documents":null',
    `"add_generation_prompt":${isAsked}`,
    more ?? '',
  ];
  return {
    name: `${template.name} / ${conversation.name} / ${isAsked ? 'asked' : 'not asked'}`,
    source: template.source,
    variables: `{${fields.filter((field) => field !== '').join(',')}}`,
  };
}

/** The same for the same text; errors are one kind, whatever their words. */
function keyOf(outcome: Outcome): string {
  return outcome.kind === 'text' ? hash(outcome.text) : outcome.kind;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

function assertSame(job: OracleJob & { readonly name?: string }, expected: Outcome): void {
  const outcome = renderJob(job);
  const name = job.name ?? job.source;
  assert.equal(outcome.kind, expected.kind, `${name}: ${JSON.stringify(outcome)} for ${JSON.stringify(expected)}`);
  if (outcome.kind === 'text' && expected.kind === 'text') assert.equal(outcome.text, expected.text, name);
  if (expected.message?.startsWith('TemplateError: ') === true) assert.equal(outcome.message, expected.message, name);
}

test('the corpus is all that the packages have', () => {
  assert.ok(corpus.length >= 102, `${corpus.length} templates`);
  assert.equal(jobs.length, corpus.length * 18);
});

test('every template of real models renders as in Python, and raises where Python raises', { skip }, () => {
  const outcomes = askOracle(jobs);
  for (const [index, job] of jobs.entries()) {
    const expected = outcomes[index];
    assert.ok(expected !== undefined);
    assertSame(job, expected);
  }
  const texts = outcomes.filter((outcome) => outcome.kind === 'text').length;
  assert.ok(texts > 1200, `only ${texts} of ${jobs.length} render at all`);
  if (isWriting) writeFileSync(RENDERINGS, renderingsText(outcomes));
});

/** One line per template: its name, a hash of its source, and a key per rendering. */
function renderingsText(outcomes: readonly Outcome[]): string {
  const lines = corpus.map((template, index) => {
    const keys = outcomes.slice(index * 18, index * 18 + 18).map(keyOf);
    return ` ${JSON.stringify([template.name, hash(template.source), keys.join(' ')])}`;
  });
  return `[\n${lines.join(',\n')}\n]\n`;
}

test('every template of real models renders what Python was seen to render', () => {
  const kept: [string, string, string][] = JSON.parse(readFileSync(RENDERINGS, 'utf8'));
  assert.equal(kept.length, corpus.length);
  for (const [index, [name, source, keys]] of kept.entries()) {
    assert.equal(hash(corpus[index]?.source ?? ''), source, `${name} is another template now: write the fixtures anew`);
    const ours = jobs.slice(index * 18, index * 18 + 18).map((job) => keyOf(renderJob(job)));
    assert.equal(ours.join(' '), keys, name);
  }
});

/** What the probes may use. */
const PROBE_VARIABLES =
  '{"a":1,"s":"hello World","l":[1,2,3],"d":{"x":1,"items":2},"f":1.0,"n":null,"t":true,' +
  '"messages":[{"role":"user","content":"hi 😀"}]}';

interface Probe {
  readonly source: string;
  readonly expected?: Outcome;
}

const probes: readonly Probe[] = JSON.parse(readFileSync(PROBES, 'utf8'));
const probeJobs = probes.map(({ source }) => ({ source, variables: PROBE_VARIABLES }));

test('probes of single features agree with Python', { skip }, () => {
  const outcomes = askOracle(probeJobs);
  for (const [index, job] of probeJobs.entries()) {
    const expected = outcomes[index];
    assert.ok(expected !== undefined);
    assertSame(job, expected);
  }
  if (isWriting) {
    const kept = probes.map(({ source }, index) => JSON.stringify({ source, expected: outcomes[index] }));
    writeFileSync(PROBES, `[\n${kept.join(',\n')}\n]\n`);
  }
});

test('probes of single features agree with what Python was seen to do', () => {
  assert.ok(probes.length >= 150);
  for (const [index, job] of probeJobs.entries()) {
    const expected = probes[index]?.expected;
    assert.ok(expected !== undefined, job.source);
    assertSame(job, expected);
  }
});
