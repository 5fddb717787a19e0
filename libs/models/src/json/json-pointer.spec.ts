import { pointerTo } from './json-pointer.ts';

describe('pointerTo', () => {
  it('escapes ~ and / as RFC 6901 has it', () => {
    expect(pointerTo('', 'a')).toBe('/a');
    expect(pointerTo('/a', 0)).toBe('/a/0');
    expect(pointerTo('/a', 'm~n/o~1')).toBe('/a/m~0n~1o~01');
    expect(pointerTo('/a', '')).toBe('/a/');
  });
});
