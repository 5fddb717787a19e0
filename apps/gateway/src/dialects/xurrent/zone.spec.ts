import { zoneOf } from './zone.ts';

test.each([
  ['UTC', '2026-01-31T12:00:00.999Z', '2026-01-31T12:00:00+00:00'],
  ['America/Chicago', '2015-09-10T17:15:16Z', '2015-09-10T12:15:16-05:00'],
  ['America/Chicago', '2015-12-10T17:15:16Z', '2015-12-10T11:15:16-06:00'],
  ['Asia/Kolkata', '2026-01-31T20:00:00Z', '2026-02-01T01:30:00+05:30'],
  ['Asia/Kathmandu', '2026-01-31T00:00:00Z', '2026-01-31T05:45:00+05:45'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00+01:00'],
  ['Pacific/Kiritimati', '2026-12-31T10:00:00Z', '2027-01-01T00:00:00+14:00'],
  ['America/St_Johns', '2026-01-01T00:00:00Z', '2025-12-31T20:30:00-03:30'],
])('in %s, %s is %s', (name, moment, shown) => {
  expect(zoneOf(name).format(new Date(moment))).toBe(shown);
});

test('what was written is read as the same second', () => {
  const zone = zoneOf('Europe/Berlin');
  const moment = new Date('2026-06-30T12:34:56.789Z');
  expect(zone.parse(zone.format(moment))).toEqual(new Date('2026-06-30T12:34:56Z'));
});

test.each([
  ['2026-06-30T12:00:00', '2026-06-30T10:00:00.000Z'],
  ['2026-06-30', '2026-06-29T22:00:00.000Z'],
  ['2026-06-30T12:00:00 02:00', '2026-06-30T10:00:00.000Z'],
])('%s is a time there', (text, moment) => {
  expect(zoneOf('Europe/Berlin').parse(text)?.toISOString()).toBe(moment);
});

test.each(['', 'x', '2026-02-30', '12:00', '2026-06-30T25:00:00Z'])('%j is none', (text) => {
  expect(zoneOf('UTC').parse(text)).toBeNull();
});

test('a zone that there is not is our own fault', () => {
  expect(() => zoneOf('Mars/Olympus')).toThrow(expect.objectContaining({ code: 'internal' }) as Error);
});
