/**
 * Every message, field, enum and method that engines know, held against what was generated from proto/. The lists are of
 * the wire format itself, one line for each message: `number=name:type`, then `?` optional, `*` repeated, `|name` a member
 * of that oneof; `service` lists methods, `>*` for those that stream.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescFile, DescMessage, DescService } from '@bufbuild/protobuf';
import { file_common } from './gen/common_pb.ts';
import { file_mlx_engine } from './gen/mlx_engine_pb.ts';
import { file_sglang_encoder } from './gen/sglang_encoder_pb.ts';
import { file_sglang_scheduler } from './gen/sglang_scheduler_pb.ts';
import { file_tokenspeed_encoder } from './gen/tokenspeed_encoder_pb.ts';
import { file_tokenspeed_scheduler } from './gen/tokenspeed_scheduler_pb.ts';
import { file_trtllm_service } from './gen/trtllm_service_pb.ts';
import { file_vllm_engine } from './gen/vllm_engine_pb.ts';

const FOLDER = new URL('../../../test/fixtures/grpc-fields/', import.meta.url);
const FILES: readonly DescFile[] = [
  file_common,
  file_mlx_engine,
  file_sglang_encoder,
  file_sglang_scheduler,
  file_tokenspeed_encoder,
  file_tokenspeed_scheduler,
  file_trtllm_service,
  file_vllm_engine,
];

/** As a type is written inside of the package. */
function shortName(typeName: string, { proto }: DescFile): string {
  if (typeName.startsWith('google.protobuf.')) return typeName.slice('google.protobuf.'.length);
  const own = `${proto.package}.`;
  if (!typeName.startsWith(own)) return typeName;
  return typeName.slice(own.length).split('.').at(-1) ?? '';
}

function scalarName(type: ScalarType): string {
  return (ScalarType[type] ?? '').toLowerCase();
}

function typeOf(field: DescField, file: DescFile): string {
  if (field.fieldKind === 'map') {
    const value = field.mapKind === 'message' ? shortName(field.message.typeName, file) : undefined;
    return `map<${scalarName(field.mapKey)},${value ?? (field.scalar === undefined ? '' : scalarName(field.scalar))}>`;
  }
  const named = field.message ?? field.enum;
  if (named) return shortName(named.typeName, file);
  return field.scalar === undefined ? '' : scalarName(field.scalar);
}

function lineOf(message: DescMessage, file: DescFile): string {
  const reserved = message.proto.reservedRange.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, at) => start + at),
  );
  const fields = message.fields.map((field) => {
    const suffix =
      field.fieldKind === 'list' ? '*' : field.oneof ? `|${field.oneof.name}` : field.proto.proto3Optional ? '?' : '';
    return { number: field.number, text: `${field.number}=${field.name}:${typeOf(field, file)}${suffix}` };
  });
  fields.sort((a, b) => a.number - b.number);
  const words = [...reserved.map((number) => `reserved=${number}`), ...fields.map(({ text }) => text)];
  return [message.name, ...words].join(' ');
}

function enumLine(each: DescEnum): string {
  const name = each.parent ? `${each.parent.name}.${each.name}` : each.name;
  return `enum ${name} ${each.values.map((value) => `${value.name}=${value.number}`).join(' ')}`;
}

function serviceLine({ name, methods }: DescService): string {
  const words = methods.map((method) => (method.methodKind === 'server_streaming' ? `${method.name}>*` : method.name));
  return `service ${name} ${words.join(' ')}`;
}

function linesOf(file: DescFile): string[] {
  return [
    ...file.enums.map(enumLine),
    ...file.messages.flatMap((message) => [lineOf(message, file), ...message.nestedEnums.map(enumLine)]),
    ...file.services.map(serviceLine),
  ];
}

/** Other packages' types are written in the lists as in the .proto files. */
function normalised(line: string): string {
  return line.replaceAll('google.protobuf.', '');
}

const listed = readdirSync(FOLDER).sort();

test('each package of the wire format is generated, and no other', () => {
  const generated = FILES.map(({ proto }) => `${proto.package}.txt`).sort();
  assert.deepEqual(generated, listed);
});

for (const name of listed) {
  test(`${name.slice(0, -4)}: every message, field, enum and method is as engines know it`, () => {
    const file = FILES.find(({ proto }) => `${proto.package}.txt` === name);
    assert.ok(file);
    const wanted = readFileSync(new URL(name, FOLDER), 'utf8').trim().split('\n').map(normalised);
    assert.deepEqual(linesOf(file).sort(), [...wanted].sort());
  });
}

test('tokenizers, cache orders, profiles and events are messages that engines share', () => {
  const shared = FILES.flatMap(({ services }) => services)
    .flatMap(({ methods }) => methods)
    .filter(({ name }) => /^(GetTokenizer|SubscribeKvEvents|FlushCache|StartProfile|StopProfile)$/.test(name));
  assert.equal(shared.length, 5 + 4 + 2 + 2 + 2);
  for (const { input, output } of shared) {
    assert.match(input.typeName, /^smg\.grpc\.common\./);
    assert.match(output.typeName, /^smg\.grpc\.common\./);
  }
});
