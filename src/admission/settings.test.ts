/** The scheduler file: what it may say, and what it is told when it says something else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLASS_DEFAULTS } from './classes.ts';
import { readSettings } from './settings.ts';

test('what the file does not say is as in the table of defaults', () => {
  const reading = readSettings({ classes: { bulk: { queue_size: 5, queue_timeout_secs: 1.5 } } });
  assert.ok(reading.ok);
  assert.deepEqual(reading.settings.classes, [
    ...CLASS_DEFAULTS.slice(0, 3),
    { ...CLASS_DEFAULTS[3], queueSize: 5, queueTimeoutMs: 1_500 },
  ]);
  assert.deepEqual(readSettings({}), { ok: true, settings: { classes: CLASS_DEFAULTS, maxClassOf: new Map() } });
});

test('every key of a class is read', () => {
  const reading = readSettings({
    classes: {
      default: {
        reserved_floor: 4,
        reserved_per_slot: 0.5,
        queue_size: 0,
        queue_timeout_secs: 2,
        starvation_threshold_secs: 1,
        can_preempt: true,
      },
    },
  });
  assert.ok(reading.ok);
  assert.deepEqual(reading.settings.classes[2], {
    name: 'default',
    reservedFloor: 4,
    reservedPerSlot: 0.5,
    queueSize: 0,
    queueTimeoutMs: 2_000,
    starvationMs: 1_000,
    mayPreempt: true,
  });
});

test('tenants are named as the original names them, or plainly', () => {
  const reading = readSettings({
    tenant_policies: {
      'auth:acme': { max_class: 'interactive' },
      cron: { max_class: 'bulk' },
      anonymous: { max_class: 'default' },
    },
  });
  assert.ok(reading.ok);
  assert.deepEqual(
    [...reading.settings.maxClassOf],
    [
      ['acme', 'interactive'],
      ['cron', 'bulk'],
      ['', 'default'],
    ],
  );
});

test('everything that is wrong is said, each with its path', () => {
  const reading = readSettings({
    clases: {},
    classes: {
      urgent: {},
      system: { reserved_floor: -1, can_preempt: 'yes', queue_size: 1.5, queue_timeout_secs: 0, size: 3 },
      interactive: { reserved_per_slot: 2, starvation_threshold_secs: '5' },
      bulk: [],
    },
    tenant_policies: {
      'ip:10.0.0.1': { max_class: 'bulk' },
      acme: { max_class: 'root' },
      cron: { max_class: 'bulk', weight: 1 },
      'auth:cron': { max_class: 'bulk' },
      other: 3,
    },
  });
  assert.ok(!reading.ok);
  const expected = [
    /^clases: there is no such key, only classes, tenant_policies$/,
    /^classes\.urgent: there is no such key, only system, interactive, default, bulk$/,
    /^classes\.system\.size: there is no such key, only reserved_floor, /,
    /^classes\.system\.reserved_floor: -1 is not a whole number from 0 to 65535$/,
    /^classes\.system\.queue_size: 1.5 is not a whole number/,
    /^classes\.system\.queue_timeout_secs: 0 is not a number of seconds from 0.01/,
    /^classes\.system\.can_preempt: "yes" is not true or false$/,
    /^classes\.interactive\.reserved_per_slot: 2 is not a number from 0 to 1$/,
    /^classes\.interactive\.starvation_threshold_secs: "5" is not a number of seconds/,
    /^classes\.bulk: \[\] is not a mapping$/,
    /^tenant_policies\.ip:10\.0\.0\.1: a key is auth:NAME, NAME or anonymous$/,
    /^tenant_policies\.acme\.max_class: "root" is not one of system, /,
    /^tenant_policies\.cron\.weight: there is no such key, only max_class$/,
    /^tenant_policies\.auth:cron: this tenant is given more than once$/,
    /^tenant_policies\.other: 3 is not a mapping$/,
    /^tenant_policies\.other\.max_class: nothing is not one of/,
  ];
  assert.equal(reading.complaints.length, expected.length, reading.complaints.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(reading.complaints[i] ?? '', pattern);
});

test('names that objects inherit are not classes, keys or tenants', () => {
  const classes = JSON.parse('{"__proto__": {"queue_size": 1}, "constructor": {}}') as Record<string, unknown>;
  const reading = readSettings({ classes });
  assert.ok(!reading.ok);
  assert.equal(reading.complaints.length, 2);
});
