import { readBson, writeBson } from './bson.ts';

describe('BSON', () => {
  test('is written as the specification has it', () => {
    // The example of bsonspec.org.
    expect(writeBson({ hello: 'world' }).toString('latin1')).toBe(
      '\x16\x00\x00\x00\x02hello\x00\x06\x00\x00\x00world\x00\x00',
    );
  });

  test('is read as it was written', () => {
    const bytes = writeBson({
      _id: 'set',
      members: [{ _id: 0, host: 'a:1' }],
      settings: { votes: -1, hidden: true },
    });
    expect(readBson(bytes)).toEqual(
      new Map<string, unknown>([
        ['_id', 'set'],
        [
          'members',
          new Map([
            [
              '0',
              new Map<string, unknown>([
                ['_id', 0],
                ['host', 'a:1'],
              ]),
            ],
          ]),
        ],
        [
          'settings',
          new Map<string, unknown>([
            ['votes', -1],
            ['hidden', true],
          ]),
        ],
      ]),
    );
  });

  test('is read with long numbers', () => {
    const bytes = Buffer.from('\x14\x00\x00\x00\x12bytes\x00\x07\x00\x00\x00\x00\x01\x00\x00\x00', 'latin1');
    expect(readBson(bytes)).toEqual(new Map([['bytes', 2 ** 40 + 7]]));
  });

  test('is read past what is of no interest', () => {
    const elements = Buffer.concat([
      Buffer.from('\x11time\x00........', 'latin1'),
      Buffer.from('\x05bytes\x00\x02\x00\x00\x00\x00ab', 'latin1'),
      Buffer.from('\x0anull\x00', 'latin1'),
      Buffer.from('\x08ok\x00\x01', 'latin1'),
    ]);
    const length = Buffer.alloc(4);
    length.writeInt32LE(elements.length + 5);
    expect(readBson(Buffer.concat([length, elements, Buffer.from([0])]))).toEqual(new Map([['ok', true]]));
  });
});
