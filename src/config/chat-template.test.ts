import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from './load.ts';

const read = (chatTemplate: unknown) => loadConfig({ flags: { workerUrls: ['grpc://worker:1'], chatTemplate } });

test('a chat template may be a file, or the template itself with its line breaks', () => {
  const lines = '{% for message in messages %}\n{{ message.content }}\n{% endfor %}';
  for (const given of ['sim/grpc/tokenizer/chat_template.jinja', lines, '{{ x }}']) {
    const loaded = read(given);
    assert.equal(loaded.ok && loaded.config.chatTemplate, given);
  }
});

test('a path that leads nowhere is told at the start, not with the first call', () => {
  for (const [given, says] of [
    ['nowhere.jinja', /flag --chat-template: "nowhere.jinja" does not exist/],
    ['README.md', /"README.md" is no .jinja, .j2 or .json file, nor a template/],
    [' ', /is not the path of a template, or a template/],
  ] as const) {
    const loaded = read(given);
    assert.ok(!loaded.ok);
    assert.match(loaded.problems.join('\n'), says);
  }
});
