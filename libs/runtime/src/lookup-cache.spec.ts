import { DomainError } from '@posthorn/models';
import type { Clock } from './clock.ts';
import { createLookupCache, type LookupCache } from './lookup-cache.ts';

/** Only its steady time is asked for. */
let nowMs = 0;
const clock: Clock = {
  now: () => nowMs,
  monotonic: () => nowMs,
  setTimeout: () => ({ unref: () => undefined }),
  clearTimeout: () => undefined,
};
const advance = (ms: number): void => {
  nowMs += ms;
};

let loads: string[] = [];
let load: (key: string) => Promise<string>;
let cache: LookupCache<string>;

beforeEach(() => {
  loads = [];
  load = (key) => Promise.resolve(`value of ${key}`);
  cache = createLookupCache({
    clock,
    unknownCode: 'not_found',
    refreshAfterMs: 1_000,
    maxAgeMs: 3_000,
    keepMs: 60_000,
    unknownMs: 500,
    maxEntries: 3,
    load: (key) => {
      loads.push(key);
      return load(key);
    },
  });
});

const unknown = (): Promise<never> => Promise.reject(new DomainError('not_found', 'unknown'));
const away = (): Promise<never> => Promise.reject(new DomainError('unavailable', 'away'));
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what was looked up is given at once, without asking again', async () => {
  expect(await cache.get('a')).toBe('value of a');
  expect(cache.get('a')).toBe('value of a');
  expect(loads).toEqual(['a']);
});

test('many callers of one key cause one look-up', async () => {
  const values = await Promise.all([cache.get('a'), cache.get('a'), cache.get('a')]);
  expect([values, loads]).toEqual([['value of a', 'value of a', 'value of a'], ['a']]);
});

test('what is cleared is asked for anew, and a look-up that began before has no say any more', async () => {
  await cache.get('a');
  cache.clear();
  load = () => settle().then(() => 'old value');
  const early = cache.get('a');
  cache.clear();
  load = () => Promise.resolve('new value');
  expect(await cache.get('a')).toBe('new value');
  expect(await early).toBe('old value');
  expect(cache.get('a')).toBe('new value');
});

test('a key in use is asked for again in the background, and nobody waits', async () => {
  await cache.get('a');
  advance(1_500);
  load = () => Promise.resolve('new value');
  expect(cache.get('a')).toBe('value of a');
  await settle();
  expect(cache.get('a')).toBe('new value');
});

test('what was revoked is refused after the maximal age at the latest', async () => {
  await cache.get('a');
  load = unknown;
  advance(3_000);
  await expect(cache.get('a')).rejects.toMatchObject({ code: 'not_found' });
});

test('what was revoked is refused as soon as a refresh in the background has found out', async () => {
  await cache.get('a');
  load = unknown;
  advance(1_500);
  expect(cache.get('a')).toBe('value of a');
  await settle();
  await expect(cache.get('a')).rejects.toMatchObject({ code: 'not_found' });
});

test('while the other service is away, what was used lately goes on working', async () => {
  await cache.get('a');
  load = away;
  for (let minute = 0; minute < 60; minute++) {
    advance(59_000);
    expect(await cache.get('a')).toBe('value of a');
  }
});

test('what was not used for too long doesn’t work while the other service is away', async () => {
  await cache.get('a');
  load = away;
  advance(60_000);
  await expect(cache.get('a')).rejects.toMatchObject({ code: 'unavailable' });
});

test('while the other service is away, callers don’t all wait to find out', async () => {
  await cache.get('a');
  load = away;
  advance(5_000);
  await cache.get('a');
  expect(cache.get('a')).toBe('value of a');
  expect(loads).toEqual(['a', 'a']);
  advance(1_000);
  await cache.get('a');
  expect(loads).toEqual(['a', 'a', 'a']);
});

test('what is revoked is refused once the other service is back, however long it was away', async () => {
  await cache.get('a');
  load = away;
  advance(30_000);
  await cache.get('a');
  load = unknown;
  advance(1_000);
  await expect(cache.get('a')).rejects.toMatchObject({ code: 'not_found' });
});

test('an unknown key is remembered as unknown for a moment only', async () => {
  load = unknown;
  await expect(cache.get('a')).rejects.toMatchObject({ code: 'not_found' });
  await expect(cache.get('a')).rejects.toMatchObject({ code: 'not_found' });
  expect(loads).toEqual(['a']);
  advance(500);
  load = () => Promise.resolve('made in the meantime');
  expect(await cache.get('a')).toBe('made in the meantime');
});

test('unknown keys, however many, don’t push known ones out', async () => {
  await cache.get('a');
  load = unknown;
  for (let i = 0; i < 100; i++) await expect(cache.get(`unknown ${i}`)).rejects.toThrow();
  expect(cache.get('a')).toBe('value of a');
});

test('an outage isn’t remembered for a key that was never known', async () => {
  load = away;
  await expect(cache.get('a')).rejects.toMatchObject({ code: 'unavailable' });
  load = () => Promise.resolve('back');
  expect(await cache.get('a')).toBe('back');
});
