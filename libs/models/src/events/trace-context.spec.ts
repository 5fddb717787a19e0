import { readTraceparent } from './trace-context.ts';

const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('readTraceparent', () => {
  it('passes on what W3C Trace Context gives as an example', () => {
    expect(readTraceparent(valid)).toBe(valid);
  });

  it.each([
    undefined,
    '',
    valid.toUpperCase(),
    `ff${valid.slice(2)}`,
    `${valid}-00`,
    valid.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
    valid.replace('00f067aa0ba902b7', '0'.repeat(16)),
    valid.slice(1),
  ])('takes %j for none', (value) => {
    expect(readTraceparent(value)).toBeUndefined();
  });
});
