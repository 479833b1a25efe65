/** The grammar of the command line: what each word is taken for, and what is said about words that fit nowhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from './command-line.ts';
import { commands } from './commands.ts';

const parse = (...words: string[]) => parseCommandLine(words, commands, ['sim']);

function flagsOf(...words: string[]) {
  const { line } = parse(...words);
  assert.deepEqual(line.problems, []);
  return line.flags;
}

test('no words are no command, no flags and no problem', () => {
  const { command, line, wantsHelp, wantsVersion } = parse();
  assert.equal(command, undefined);
  assert.deepEqual(
    { line, wantsHelp, wantsVersion },
    {
      line: { flags: {}, rest: [], problems: [] },
      wantsHelp: false,
      wantsVersion: false,
    },
  );
});

test('flags stand before or after the command, as two words or one', () => {
  for (const words of [
    ['launch', '--port', '1', '--log-json'],
    ['--port=1', 'start', '--log-json'],
    ['--log-json', '--port', '1', 'launch'],
    ['--log-json', 'launch', '--port=1'],
  ]) {
    assert.equal(parse(...words).command?.name, 'launch');
    assert.deepEqual(flagsOf(...words), { port: '1', logJson: true });
  }
});

test('a list takes several values, and its flag may be repeated', () => {
  assert.deepEqual(flagsOf('--worker-urls', 'a', 'b', '--port', '1', '--worker-urls', 'c', '--worker-urls=d'), {
    workerUrls: ['a', 'b', 'c', 'd'],
    port: '1',
  });
});

test('the name of a command ends a list of values', () => {
  const words = ['--worker-urls', 'a', 'b', 'serve', '--port', '1'];
  assert.equal(parse(...words).command?.name, 'serve');
  assert.deepEqual(flagsOf(...words), { workerUrls: ['a', 'b'], port: '1' });
  // A worker may have the name of a command where no command can stand.
  assert.deepEqual(flagsOf('launch', '--worker-urls', 'serve', 'start'), { workerUrls: ['serve', 'start'] });
  assert.deepEqual(flagsOf('--worker-urls', 'serve'), { workerUrls: ['serve'] });
});

test('a switch is turned on and off in four ways, and the last one counts', () => {
  assert.deepEqual(flagsOf('--log-json'), { logJson: true });
  assert.deepEqual(flagsOf('--log-json=true'), { logJson: true });
  assert.deepEqual(flagsOf('--no-log-json'), { logJson: false });
  assert.deepEqual(flagsOf('--log-json=false'), { logJson: false });
  assert.deepEqual(flagsOf('--log-json=false', '--log-json'), { logJson: true });
});

test('a single value given twice is the last one', () => {
  assert.deepEqual(flagsOf('--port', '1', '--port=2'), { port: '2' });
});

test('a negative number and an empty text are values, not flags', () => {
  assert.deepEqual(flagsOf('--retry-jitter-factor', '-1', '--log-dir='), { retryJitterFactor: '-1', logDir: '' });
});

test('short forms of a flag name the same option', () => {
  assert.deepEqual(flagsOf('serve', '--dp-size', '2', '--tp-size=4'), {
    dataParallelSize: '2',
    tensorParallelSize: '4',
  });
});

test('everything behind two dashes is left alone', () => {
  const { line } = parse('serve', '--port', '1', '--', '--port', 'x', 'launch', '--help');
  assert.deepEqual(line, { flags: { port: '1' }, rest: ['--port', 'x', 'launch', '--help'], problems: [] });
});

test('help and version are found anywhere, also behind faults', () => {
  assert.ok(parse('-h').wantsHelp);
  assert.ok(parse('serve', '--nope', '--help').wantsHelp);
  assert.ok(parse('help', 'serve').wantsHelp);
  assert.equal(parse('help', 'serve').command?.name, 'serve');
  assert.ok(parse('--port', '1', '-V').wantsVersion);
});

const KEY_IN_QUOTES = 'flag --worker-api-key: there is a word behind its value (not shown); put the key in quotes';

const faults: readonly (readonly [string[], string[]])[] = [
  [['--prot', '1'], ['flag --prot: no such flag; did you mean --port?']],
  [['--zzzzzz=sk-key'], ['flag --zzzzzz: no such flag']],
  [['-p', '1'], ['flag -p: no such flag']],
  [['lunch'], ['"lunch": neither a command nor the value of a flag; did you mean launch?']],
  [['launch', 'serve'], ['"serve": a second command, or one that has to be the first word']],
  [['--port', '1', 'sim'], ['"sim": a second command, or one that has to be the first word']],
  [['http://a:1'], ['"http://a:1": an argument too many; worker URLs go behind --worker-urls']],
  [['--port'], ['flag --port: the value is missing; give a whole number from 0 to 65535 (0 takes any free port)']],
  [['--host', '--port', '1'], ['flag --host: the value is missing; give an IP address or a host name']],
  [['--log-json=perhaps'], ['flag --log-json: "perhaps" is not true or false']],
  [['launch', '--model', 'm'], ['flag --model: it belongs to smg serve']],
  [['--worker-api-key', 'sk', 'part'], [KEY_IN_QUOTES]],
  [['--worker-api-key=sk', 'part'], [KEY_IN_QUOTES]],
];

for (const [words, problems] of faults) {
  test(`says of ${words.join(' ')}: ${problems[0]}`, () => {
    assert.deepEqual(parse(...words).line.problems, problems);
  });
}

test('a key that looks like a flag is not shown', () => {
  const problems = parse('--worker-api-key', '-sk-key', '--port', '1').line.problems.join('\n');
  assert.match(problems, /--worker-api-key: a value that begins with a dash is given as --worker-api-key=<value>/);
  assert.doesNotMatch(problems, /sk-key/);
  assert.deepEqual(flagsOf('--worker-api-key=-sk-key'), { workerApiKey: '-sk-key' });
});

test('all faults are told at once, and good flags around them are still read', () => {
  const { line } = parse(
    'lunch',
    '--prot',
    '3',
    '--port',
    '4',
    'extra',
    '--host',
    '--log-json=perhaps',
    '--log-dir',
    'x',
  );
  assert.equal(line.problems.length, 5);
  assert.deepEqual(line.flags, { port: '4', logDir: 'x' });
});
