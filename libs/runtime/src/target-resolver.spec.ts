import { createAllowList } from '@posthorn/models';
import type { Clock } from './clock.ts';
import {
  createTargetResolver,
  type NameLookup,
  type TargetAnswer,
  type TargetResolverOptions,
} from './target-resolver.ts';

/** libs/testing has a whole fake clock, but it stands on this library. */
function startClock() {
  let time = 0;
  const timers = new Map<object, { at: number; fn: () => void }>();
  const clock: Clock = {
    now: () => time,
    monotonic: () => time,
    setTimeout: (fn, ms) => {
      const timer = { unref: () => timer };
      timers.set(timer, { at: time + ms, fn });
      return timer;
    },
    clearTimeout: (timer) => timer && timers.delete(timer),
  };
  const advance = (ms: number): void => {
    time += ms;
    for (const [timer, { at, fn }] of timers) {
      if (at <= time && timers.delete(timer)) fn();
    }
  };
  return { clock, advance, pending: () => timers.size };
}

type Zone = Record<string, { a?: string[]; aaaa?: string[]; ttl?: number; error?: string; hangs?: boolean }>;

function startLookup(zone: Zone) {
  const asked: string[] = [];
  let release: (() => void)[] = [];
  const answer = (name: string, family: 'a' | 'aaaa') => {
    const { ttl = 60, error, hangs, ...records } = zone[name] ?? { error: 'ENOTFOUND' };
    const reply = async () => {
      if (error !== undefined) throw Object.assign(new Error(error), { code: error });
      const addresses = records[family] ?? [];
      if (addresses.length === 0) throw Object.assign(new Error(), { code: 'ENODATA' });
      return addresses.map((address) => ({ address, ttl }));
    };
    return hangs ? new Promise<void>((resolve) => release.push(resolve)).then(reply) : reply();
  };
  const lookup: NameLookup = {
    resolve4: (name) => {
      asked.push(name);
      return answer(name, 'a');
    },
    resolve6: (name) => answer(name, 'aaaa'),
    cancel: () => undefined,
  };
  const releaseAll = (): void => {
    for (const resolve of release) resolve();
    release = [];
  };
  return { lookup, asked, releaseAll };
}

function start(zone: Zone = {}, allow: string[] = [], options: Partial<TargetResolverOptions> = {}) {
  const time = startClock();
  const names = startLookup(zone);
  const resolver = createTargetResolver({
    allow: createAllowList(allow),
    clock: time.clock,
    lookup: names.lookup,
    ...options,
  });
  return { ...time, ...names, resolver, resolve: (host: string, org = 'o1') => resolver.resolve(host, org) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const reason = (answer: TargetAnswer): string => (answer.ok ? answer.addresses.join(' ') : answer.reason);

describe('createTargetResolver', () => {
  it.each(['8.8.8.8', '[2606:4700::1111]'])('answers at once for the public address %s', (host) => {
    const { resolve } = start();
    expect(resolve(host)).toEqual({ ok: true, addresses: [host.replace(/[[\]]/g, '')] });
  });

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '0.0.0.0',
    '[::1]',
    '[fd00::1]',
    '[::ffff:127.0.0.1]',
  ])('refuses the address %s, which is not public', (host) => {
    const { resolve } = start();
    expect(resolve(host)).toEqual({
      ok: false,
      reason: 'blocked',
      message: `Deliveries may not reach ${host}.`,
    });
  });

  it('lets the allow list open addresses that are not public, and no others', () => {
    const { resolve, resolver } = start({}, ['10.0.0.0/8', '::1/128']);
    expect(resolve('10.1.2.3')).toMatchObject({ ok: true });
    expect(resolve('[::1]')).toMatchObject({ ok: true });
    expect(resolve('192.168.0.1')).toMatchObject({ reason: 'blocked' });
    expect(resolver.isAllowed('10.255.0.1')).toBe(true);
    expect(resolver.isAllowed('8.8.8.8')).toBe(true);
    expect(resolver.isAllowed('127.0.0.1')).toBe(false);
    expect(resolver.isAllowed('not an address')).toBe(false);
  });

  it.each(['localhost', 'LOCALHOST.', 'a.b.localhost', 'a.localhost.'])(
    'takes %s for what the allow list opens of the loopback addresses, and asks no name server',
    (host) => {
      const { resolve, asked } = start({}, []);
      expect(resolve(host)).toMatchObject({ reason: 'blocked' });
      expect(start({}, ['127.0.0.0/8']).resolve(host)).toEqual({ ok: true, addresses: ['127.0.0.1'] });
      expect(start({}, ['127.0.0.0/8', '::1/128']).resolve(host)).toMatchObject({
        addresses: ['127.0.0.1', '::1'],
      });
      expect(asked).toEqual([]);
    },
  );

  it('gives all addresses of a name, IPv4 first', async () => {
    const { resolve } = start({ 'a.test': { a: ['1.1.1.1', '8.8.8.8'], aaaa: ['2606:4700::1111'] } });
    expect(await resolve('a.test')).toEqual({
      ok: true,
      addresses: ['1.1.1.1', '8.8.8.8', '2606:4700::1111'],
    });
  });

  it('refuses a name as a whole when one of its addresses is not public, without telling which', async () => {
    const { resolve } = start({
      'a.test': { a: ['1.1.1.1', '10.9.8.7'] },
      'b.test': { a: ['1.1.1.1'], aaaa: ['::ffff:10.9.8.7'] },
    });
    for (const name of ['a.test', 'b.test']) {
      const answer = await resolve(name);
      expect(answer).toMatchObject({ ok: false, reason: 'blocked' });
      expect(JSON.stringify(answer)).not.toMatch(/10\.9/);
    }
  });

  it.each([
    ['ENOTFOUND', 'The name a.test has no address.'],
    ['ENODATA', 'The name a.test has no address.'],
    ['ESERVFAIL', 'The name servers could not answer for a.test.'],
    ['ETIMEOUT', 'The name servers did not answer for a.test in time.'],
  ])('says what %s means', async (error, message) => {
    const { resolve } = start({ 'a.test': { error } });
    expect(await resolve('a.test')).toEqual({ ok: false, reason: 'dns', message });
  });

  it('gives up after two seconds', async () => {
    const { resolve, advance, pending } = start({ 'a.test': { hangs: true } });
    const answer = resolve('a.test');
    await turn();
    advance(2_000);
    expect(await answer).toMatchObject({ reason: 'dns', message: expect.stringMatching(/in time/) });
    expect(pending()).toBe(0);
  });

  it('uses the IPv4 addresses of a name whose servers never answer for IPv6', async () => {
    const { clock, advance } = startClock();
    const { lookup } = startLookup({ 'a.test': { a: ['1.1.1.1'] } });
    const resolver = createTargetResolver({
      allow: createAllowList([]),
      clock,
      lookup: { ...lookup, resolve6: () => new Promise(() => undefined) },
    });
    const answer = resolver.resolve('a.test', 'o1');
    await turn();
    advance(2_000);
    expect(await answer).toEqual({ ok: true, addresses: ['1.1.1.1'] });
  });

  it('remembers an answer for its time to live, but for 30 seconds at most', async () => {
    const { resolve, asked, advance } = start({
      'short.test': { a: ['1.1.1.1'], ttl: 5 },
      'long.test': { a: ['1.1.1.1'], ttl: 86_400 },
    });
    await resolve('short.test');
    await resolve('long.test');
    advance(4_999);
    expect(resolve('short.test')).toMatchObject({ ok: true });
    advance(1);
    expect(resolve('short.test')).toBeInstanceOf(Promise);
    advance(24_999);
    expect(resolve('long.test')).toMatchObject({ ok: true });
    advance(1);
    await resolve('long.test');
    expect(asked.filter((name) => name === 'long.test').length).toBe(2);
  });

  it('remembers a refusal for five seconds', async () => {
    const { resolve, asked, advance } = start({
      'a.test': { a: ['10.0.0.1'] },
      'b.test': { error: 'ENOTFOUND' },
    });
    await resolve('a.test');
    await resolve('b.test');
    advance(4_999);
    expect(resolve('a.test')).toMatchObject({ reason: 'blocked' });
    expect(resolve('b.test')).toMatchObject({ reason: 'dns' });
    advance(1);
    await resolve('a.test');
    expect(asked).toEqual(['a.test', 'b.test', 'a.test']);
  });

  it('judges a name anew when its answer has changed', async () => {
    const zone: Zone = { 'a.test': { a: ['1.1.1.1'], ttl: 1 } };
    const { resolve, advance } = start(zone);
    expect(reason(await resolve('a.test'))).toBe('1.1.1.1');
    zone['a.test'] = { a: ['127.0.0.1'] };
    expect(reason(await resolve('a.test'))).toBe('1.1.1.1');
    advance(1_000);
    expect(reason(await resolve('a.test'))).toBe('blocked');
  });

  it('forgets the answer that was unused for longest beyond its bound', async () => {
    const names = ['a.test', 'b.test', 'c.test'];
    const zone: Zone = Object.fromEntries(names.map((name) => [name, { a: ['1.1.1.1'] }]));
    const { resolve, asked } = start(zone, [], { maxCachedNames: 2 });
    for (const name of ['a.test', 'b.test', 'a.test', 'c.test']) await resolve(name);
    expect(resolve('a.test')).toMatchObject({ ok: true });
    expect(resolve('c.test')).toMatchObject({ ok: true });
    await resolve('b.test');
    expect(asked).toEqual(['a.test', 'b.test', 'c.test', 'b.test']);
  });

  it('asks once for a name that many ask for at the same time', async () => {
    const { resolve, asked, releaseAll } = start({ 'a.test': { a: ['1.1.1.1'], hangs: true } });
    const answers = [resolve('a.test'), resolve('a.test'), resolve('a.test')];
    await turn();
    releaseAll();
    expect((await Promise.all(answers.map((answer) => Promise.resolve(answer)))).map(reason)).toEqual([
      '1.1.1.1',
      '1.1.1.1',
      '1.1.1.1',
    ]);
    expect(asked).toEqual(['a.test']);
  });

  it('looks up two names at a time for an organisation, and lets no other organisation wait for it', async () => {
    const hanging = { a: ['1.1.1.1'], hangs: true };
    const { resolve, asked, releaseAll } = start({
      'a.test': hanging,
      'b.test': hanging,
      'c.test': { a: ['1.1.1.1'] },
      'd.test': { a: ['1.1.1.1'] },
    });
    const slow = [resolve('a.test'), resolve('b.test'), resolve('c.test')];
    await turn();
    expect(asked).toEqual(['a.test', 'b.test']);
    expect(await resolve('d.test', 'o2')).toMatchObject({ ok: true });
    expect(await resolve('c.test', 'o2')).toMatchObject({ ok: true });
    releaseAll();
    for (const answer of slow) await answer;
    expect(asked.filter((name) => name === 'c.test').length).toBe(1);
  });

  it('answers a name that makes the resolver itself throw', async () => {
    const { lookup } = startLookup({});
    const throwing = (): never => {
      throw Object.assign(new Error(), { code: 'EBADNAME' });
    };
    const { resolve } = start({}, [], { lookup: { ...lookup, resolve4: throwing, resolve6: throwing } });
    expect(await resolve('a..test')).toMatchObject({ reason: 'dns' });
  });
});
