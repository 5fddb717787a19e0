/** The part of BSON that commands to a MongoDB server and its answers to them need, for probes; not a driver. */

/** What can be written; numbers become 32-bit integers. */
export interface BsonInput {
  readonly [name: string]: string | number | boolean | BsonInput | readonly BsonInput[];
}

/** What is read: text, numbers, booleans and documents; elements of other types are left out. */
export type BsonOutput = ReadonlyMap<string, unknown>;

const double = 0x01;
const text = 0x02;
const document = 0x03;
const array = 0x04;
const binary = 0x05;
const boolean = 0x08;
const int32 = 0x10;
const int64 = 0x12;
/** How many bytes the values of the types that are left out have. */
const skipped: Readonly<Record<number, number>> = { 0x06: 0, 0x07: 12, 0x09: 8, 0x0a: 0, 0x11: 8 };

export function writeBson(input: BsonInput): Buffer {
  const elements = Object.entries(input).map(([name, value]) => {
    const [type, bytes] = writeValue(value);
    return Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`), bytes]);
  });
  const content = Buffer.concat(elements);
  return Buffer.concat([int32Bytes(content.length + 5), content, Buffer.from([0])]);
}

function writeValue(value: BsonInput[string]): [type: number, bytes: Buffer] {
  if (typeof value === 'boolean') return [boolean, Buffer.from([value ? 1 : 0])];
  if (typeof value === 'number') return [int32, int32Bytes(value)];
  if (typeof value === 'string') {
    const bytes = Buffer.from(`${value}\0`);
    return [text, Buffer.concat([int32Bytes(bytes.length), bytes])];
  }
  if (isArray(value)) return [array, writeBson(Object.fromEntries(value.entries()))];
  return [document, writeBson(value)];
}

/** Array.isArray doesn't tell a readonly array from an object. */
function isArray(value: BsonInput | readonly BsonInput[]): value is readonly BsonInput[] {
  return Array.isArray(value);
}

/** @throws Error at a type that no answer to our commands has */
export function readBson(bytes: Buffer): BsonOutput {
  const fields = new Map<string, unknown>();
  let at = 4;
  while (bytes.readUInt8(at) !== 0) {
    const type = bytes.readUInt8(at);
    const nameEnd = bytes.indexOf(0, at + 1);
    const name = bytes.toString('utf8', at + 1, nameEnd);
    at = nameEnd + 1;
    switch (type) {
      case double:
        fields.set(name, bytes.readDoubleLE(at));
        at += 8;
        break;
      case text:
        fields.set(name, bytes.toString('utf8', at + 4, at + 3 + bytes.readInt32LE(at)));
        at += 4 + bytes.readInt32LE(at);
        break;
      case document:
      case array:
        fields.set(name, readBson(bytes.subarray(at, at + bytes.readInt32LE(at))));
        at += bytes.readInt32LE(at);
        break;
      case binary:
        at += 5 + bytes.readInt32LE(at);
        break;
      case boolean:
        fields.set(name, bytes.readUInt8(at) === 1);
        at += 1;
        break;
      case int32:
        fields.set(name, bytes.readInt32LE(at));
        at += 4;
        break;
      case int64:
        fields.set(name, Number(bytes.readBigInt64LE(at)));
        at += 8;
        break;
      default: {
        const length = skipped[type];
        if (length === undefined) throw new Error(`BSON type ${type} of ${name} isn't known here`);
        at += length;
      }
    }
  }
  return fields;
}

function int32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
