import {
  createDeliveryIds,
  deliveryIdOf,
  attemptIdOf,
  idCeiling,
  idFloor,
  idTimeMs,
  isId,
  newId,
} from './ids.ts';

const ms = Date.UTC(2025, 0, 2, 3, 4, 5, 678);
const filledWith = (byte: number) => (count: number) => new Uint8Array(count).fill(byte);
const source = {
  acceptedAt: new Date(ms),
  organisationId: '01942500-0000-4000-8000-000000000001',
  eventId: '01942500-0000-4000-8000-000000000002',
};
const endpointId = '01942500-0000-4000-8000-000000000003';

describe('newId', () => {
  it('writes the time, the version and the variant where RFC 9562 has them', () => {
    expect(newId(ms, filledWith(0xff))).toBe('019424f8-632e-4fff-bfff-ffffffffffff');
    expect(newId(ms, filledWith(0))).toBe('019424f8-632e-4000-8000-000000000000');
  });

  it('puts every random bit to use', () => {
    const ids = new Set<string>();
    for (let bit = 0; bit < 74; bit++) {
      // The 80 bits that are asked for hold six that have no place: the highest of the last two bytes.
      const index = bit < 64 ? bit : bit + 6;
      ids.add(
        newId(ms, (count) => {
          const bytes = new Uint8Array(count);
          bytes[index >> 3] = 0x80 >> (index & 7);
          return bytes;
        }),
      );
    }
    expect(ids.size).toBe(74);
  });

  it('makes a well-formed id of a clock that has gone wild', () => {
    for (const wild of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(isId(newId(wild, filledWith(1)))).toBe(true);
    }
  });
});

describe('isId', () => {
  it.each([
    ['', 'nothing'],
    ['019424f8-FB0E-4fff-bfff-ffffffffffff', 'upper case, which would be another text for the same id'],
    ['019424f8-632e-7fff-bfff-ffffffffffff', 'another version'],
    ['019424f8-632e-4fff-cfff-ffffffffffff', 'another variant'],
    ['01942513fb0e4fffbfffffffffffffff', 'no dashes'],
    ['019424f8-632e-4fff-bfff-ffffffffffff\n', 'something behind it'],
  ])('refuses %j: %s', (text) => {
    expect(isId(text)).toBe(false);
  });
});

describe('deliveryIdOf', () => {
  it('gives the same id in every version of Posthorn, since stored deliveries are found by it', () => {
    expect(deliveryIdOf({ ...source, endpointId })).toBe('019424f8-632e-4380-9197-79506544f1e5');
    expect(attemptIdOf(deliveryIdOf({ ...source, endpointId }), 1)).toBe(
      '019424f8-632e-4c9b-978c-b2783220fd12',
    );
  });

  it('is what createDeliveryIds gives for that endpoint', () => {
    expect(createDeliveryIds(source)(endpointId)).toBe(deliveryIdOf({ ...source, endpointId }));
  });

  it('keeps the border between the parts: what moves from one to the next makes another id', () => {
    const ids = [
      deliveryIdOf({ ...source, eventId: 'ab', endpointId: 'c' }),
      deliveryIdOf({ ...source, eventId: 'a', endpointId: 'bc' }),
      deliveryIdOf({ ...source, eventId: 'abc', endpointId: '' }),
      deliveryIdOf({ ...source, eventId: 'ab\0', endpointId: 'c' }),
      deliveryIdOf({ ...source, organisationId: 'ab', eventId: 'c', endpointId: 'c' }),
      deliveryIdOf({ ...source, organisationId: 'a', eventId: 'bc', endpointId: 'c' }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('tells 200,000 neighbouring events and endpoints apart within one millisecond', () => {
    const ids = new Set<string>();
    for (let event = 0; event < 2000; event++) {
      const idFor = createDeliveryIds({ ...source, eventId: `evt_${event}` });
      for (let endpoint = 0; endpoint < 100; endpoint++) ids.add(idFor(`ep_${endpoint}`));
    }
    expect(ids.size).toBe(200_000);
  });

  it('changes every bit of the hash about half the time when one bit of the input changes', () => {
    const flips = new Array<number>(74).fill(0);
    const samples = 4000;
    for (let sample = 0; sample < samples; sample++) {
      const before = `event-${sample}-endpoint-of-some-length`;
      const at = sample % before.length;
      const flipped = before.charCodeAt(at) ^ (1 << (sample % 7));
      const after = before.slice(0, at) + String.fromCharCode(flipped) + before.slice(at + 1);
      const where = (['organisationId', 'eventId', 'endpointId'] as const)[sample % 3] ?? 'eventId';
      const [a, b] = [before, after].map((text) => hashBits({ ...source, endpointId, [where]: text }));
      flips.forEach((count, bit) => (flips[bit] = count + (a?.[bit] === b?.[bit] ? 0 : 1)));
    }
    for (const count of flips) expect(Math.abs(count / samples - 0.5)).toBeLessThan(0.04);
  });
});

describe('attemptIdOf', () => {
  const deliveryId = deliveryIdOf({ ...source, endpointId });

  it('differs by delivery, number and salt, and sorts with the delivery by time', () => {
    const ids = [
      attemptIdOf(deliveryId, 1),
      attemptIdOf(deliveryId, 2),
      attemptIdOf(deliveryId, 1, 'again'),
      attemptIdOf(deliveryIdOf({ ...source, endpointId: 'another' }), 1),
    ];
    expect(new Set([...ids, deliveryId]).size).toBe(5);
    expect(ids.every((id) => isId(id) && idTimeMs(id) === ms)).toBe(true);
  });
});

describe('idFloor and idCeiling', () => {
  it('enclose every id of their millisecond and none of its neighbours', () => {
    const id = deliveryIdOf({ ...source, endpointId });
    expect(idFloor(ms) <= id && id <= idCeiling(ms)).toBe(true);
    expect(idCeiling(ms - 1) < idFloor(ms) && idCeiling(ms) < idFloor(ms + 1)).toBe(true);
    expect(newId(ms, filledWith(0))).toBe(idFloor(ms));
    expect(newId(ms, filledWith(0xff))).toBe(idCeiling(ms));
  });
});

/** The 74 bits of an id that aren't time, version or variant. */
function hashBits(input: Parameters<typeof deliveryIdOf>[0]): string {
  const digits = deliveryIdOf(input).slice(14).replaceAll('-', '');
  const bits = [...digits].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
  return bits.slice(4, 16) + bits.slice(18);
}
