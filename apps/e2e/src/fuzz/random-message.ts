/**
 * Messages at random for any type of the contract, on the wire: fields missing and repeated, values out of every range, unknown enum
 * numbers, texts of all kinds, and now and then bytes that are no message.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type MethodDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { fileDescriptors } from '@posthorn/contracts';
import type { SeededRandom } from '@posthorn/testing';

export interface ContractMethod {
  /** `/posthorn.config.v1.KeyService/CreateKey` */
  readonly path: string;
  readonly requestType: string;
  readonly isStream: boolean;
}

export interface Contract {
  readonly methods: readonly ContractMethod[];
  /** A request for the method; `texts` are good ones, such as ids that there are. */
  randomRequest(method: ContractMethod, random: SeededRandom, texts: readonly string[]): Uint8Array;
}

const deepest = 5;
const { GROUP, MESSAGE, ENUM, STRING, BYTES, BOOL, DOUBLE, FLOAT, FIXED64, SFIXED64, FIXED32, SFIXED32 } =
  FieldDescriptorProto_Type;
const junk = [
  '',
  ' ',
  '\u0000',
  'null',
  '-1',
  '9'.repeat(40),
  'é😀',
  '%00',
  '../..',
  '"\\',
  '{"a":',
  '*',
  'a.b.c',
];

/** Reads the whole contract, as it is compiled into the services. */
export function readContract(): Contract {
  const messages = new Map<string, DescriptorProto>();
  const enums = new Map<string, EnumDescriptorProto>();
  const methods: ContractMethod[] = [];

  function collect(scope: string, message: DescriptorProto): void {
    const name = `${scope}.${message.name}`;
    messages.set(name, message);
    for (const nested of message.nestedType) collect(name, nested);
    for (const one of message.enumType) enums.set(`${name}.${one.name}`, one);
  }
  for (const { descriptor } of fileDescriptors) {
    const file = fromBinary(FileDescriptorProtoSchema, Buffer.from(descriptor, 'base64'));
    for (const message of file.messageType) collect(`.${file.package}`, message);
    for (const one of file.enumType) enums.set(`.${file.package}.${one.name}`, one);
    for (const service of file.service) {
      for (const method of service.method) methods.push(methodOf(`${file.package}.${service.name}`, method));
    }
  }

  function write(type: string, depth: number, random: SeededRandom, texts: readonly string[]): Uint8Array {
    const writer = new BinaryWriter();
    for (const field of messages.get(type)?.field ?? []) {
      const isRepeated = field.label === FieldDescriptorProto_Label.REPEATED;
      const times = random.chance(0.25) ? 0 : isRepeated ? random.integer(0, 4) : random.chance(0.03) ? 2 : 1;
      for (let n = 0; n < times; n += 1) writeField(writer, field, depth, random, texts);
    }
    return writer.finish();
  }

  function writeField(
    writer: BinaryWriter,
    field: FieldDescriptorProto,
    depth: number,
    random: SeededRandom,
    texts: readonly string[],
  ): void {
    const { number, type, typeName } = field;
    switch (type) {
      case MESSAGE:
      case GROUP:
        if (depth < deepest) {
          writer.tag(number, WireType.LengthDelimited).bytes(write(typeName, depth + 1, random, texts));
        }
        return;
      case STRING:
        writer.tag(number, WireType.LengthDelimited).string(randomText(random, texts));
        return;
      case BYTES:
        writer.tag(number, WireType.LengthDelimited).bytes(randomBytes(random, texts));
        return;
      case BOOL:
        writer.tag(number, WireType.Varint).bool(random.chance(0.5));
        return;
      case ENUM:
        writer.tag(number, WireType.Varint).int32(randomEnum(enums.get(typeName), random));
        return;
      case DOUBLE:
        writer
          .tag(number, WireType.Bit64)
          .double(random.pick([0, -1, 1e308, NaN, Infinity, random.number()]));
        return;
      case FLOAT:
        writer.tag(number, WireType.Bit32).float(random.pick([0, -1, NaN, random.number()]));
        return;
      case FIXED64:
      case SFIXED64:
        writer.tag(number, WireType.Bit64).fixed64(BigInt(random.integer(0, 2 ** 32)));
        return;
      case FIXED32:
      case SFIXED32:
        writer.tag(number, WireType.Bit32).fixed32(random.integer(0, 2 ** 32 - 1));
        return;
      case FieldDescriptorProto_Type.INT32:
      case FieldDescriptorProto_Type.INT64:
      case FieldDescriptorProto_Type.UINT32:
      case FieldDescriptorProto_Type.UINT64:
      case FieldDescriptorProto_Type.SINT32:
      case FieldDescriptorProto_Type.SINT64:
        writer.tag(number, WireType.Varint).int64(randomWhole(random));
    }
  }

  return {
    methods,
    randomRequest(method, random, texts) {
      const bytes = write(method.requestType, 0, random, texts);
      return random.chance(0.05) ? broken(bytes, random) : bytes;
    },
  };
}

function methodOf(service: string, method: MethodDescriptorProto): ContractMethod {
  return {
    path: `/${service}/${method.name}`,
    requestType: method.inputType,
    isStream: method.clientStreaming,
  };
}

function randomText(random: SeededRandom, texts: readonly string[]): string {
  const one = random.number();
  if (one < 0.6) return random.pick(texts);
  if (one < 0.9) return random.pick(junk);
  if (one < 0.98) return Buffer.from(random.bytes(random.integer(1, 60))).toString('latin1');
  return 'x'.repeat(random.integer(1000, 100_000));
}

function randomBytes(random: SeededRandom, texts: readonly string[]): Uint8Array {
  return random.chance(0.5) ? random.bytes(random.integer(0, 60)) : Buffer.from(randomText(random, texts));
}

function randomEnum(type: EnumDescriptorProto | undefined, random: SeededRandom): number {
  return random.chance(0.9) ? random.pick(type?.value ?? []).number : random.integer(-5, 500);
}

function randomWhole(random: SeededRandom): bigint {
  const small = BigInt(random.integer(-2, 1000));
  const large = random.pick([2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 1_790_000_000n]);
  return random.chance(0.7) ? small : large;
}

/** Cut short, with some bytes changed, or with more behind. */
function broken(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const one = random.number();
  if (one < 0.3) return bytes.subarray(0, random.integer(0, bytes.length));
  if (one < 0.6) return Buffer.concat([bytes, random.bytes(random.integer(1, 20))]);
  const changed = Uint8Array.from(bytes);
  for (let n = 0; n < 3 && changed.length > 0; n += 1) {
    changed[random.integer(0, changed.length - 1)] = random.integer(0, 255);
  }
  return changed;
}
