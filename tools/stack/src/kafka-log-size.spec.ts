import { bytesOf } from './kafka-log-size.ts';

const int = (bytes: number, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, bytes > 6 ? bytes - 6 : 0, Math.min(bytes, 6));
  return buffer;
};
const text = (value: string): Buffer => Buffer.concat([int(2, value.length), Buffer.from(value)]);
const array = (...items: Buffer[]): Buffer => Buffer.concat([int(4, items.length), ...items]);
const partition = (number: number, bytes: number): Buffer =>
  Buffer.concat([int(4, number), int(8, bytes), int(8, 0), int(1, 0)]);
const reply = (error: number, ...topics: Buffer[]): Buffer =>
  Buffer.concat([
    int(4, 0),
    int(4, 1),
    int(4, 0),
    array(Buffer.concat([int(2, error), text('/d'), array(...topics)])),
  ]);

test('the size of a topic is that of its partitions, and of no other', () => {
  const other = Buffer.concat([text('other'), array(partition(0, 5))]);
  const mine = Buffer.concat([text('mine'), array(partition(0, 1_000_000_000_000), partition(1, 7))]);
  expect(bytesOf(reply(0, other, mine), 'mine')).toBe(1_000_000_000_007);
  expect(bytesOf(reply(0, other, mine), 'nothing')).toBe(0);
});

test('a directory that the broker cannot read is no empty one', () => {
  expect(() => bytesOf(reply(56), 'mine')).toThrow('error 56');
});
