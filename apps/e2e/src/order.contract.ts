/**
 * The life of events that have an ordering key, on a platform that runs for real: through retries, pauses, crashes, deliveries that
 * are given up and replays, to an endpoint that wants order. What docs/retries.md promises of it, for every way to run the platform.
 */
import { randomUUID } from 'node:crypto';
import { eventually, withSeed } from '@posthorn/testing';
import { startCountingReceiver, type CountingReceiver } from './load/counting-receiver.ts';
import { startKeyedReceiver, type KeyedReceiver } from './load/keyed-receiver.ts';
import type { LoadedPlatform } from './load/load-on-tenant.ts';
import { startLoad, type SteadyLoad } from './load/steady-load.ts';
import { createTenant, patienceMs, type DeliveryAnswer, type PageAnswer, type Tenant } from './tenant.ts';

export interface OrderedPlatform extends LoadedPlatform {
  /** Whether whoever asks for a replay is the one who delivers: what is replayed then takes its place at once. */
  readonly isOneProcess: boolean;
  /** Kills who delivers, or one of them, and starts it again. */
  readonly crash: () => Promise<void>;
  /** Lets another dispatcher join, and leave again, where there can be several. */
  readonly moves: readonly (() => Promise<void>)[];
  /** Says what the platform wrote last when the work fails. */
  explain<T>(work: () => Promise<T>): Promise<T>;
  dispose(): Promise<void>;
}

interface ReplayAnswer {
  readonly id: string;
  readonly state: string;
  readonly finishedAt: string | null;
  readonly progress: { readonly done: number };
}

const soon = { timeoutMs: patienceMs, everyMs: 50 };
/** Clients of the load, each with a key of its own. */
const clients = 8;
const everyMs = 200;
/** Accepted between two things that happen. */
const someEvents = 30;

/** Runs the whole of it on a platform that its tests share. */
export function describeKeyedOrder(name: string, start: () => Promise<OrderedPlatform>): void {
  let platform: OrderedPlatform;
  let tenant: Tenant;
  beforeAll(async () => {
    platform = await start();
  });
  afterAll(() => platform.dispose());
  beforeEach(async () => {
    tenant = await platform.explain(() => eventually(() => createTenant(platform), soon));
  });

  /** Asks until it is answered: a dispatcher may just have been killed. Carried out once, however often it is asked. */
  function ask<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    const headers = { 'Idempotency-Key': randomUUID() };
    return eventually(async () => {
      const answer = await tenant.call<T>(method, path, body, method === 'POST' ? headers : {});
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      return answer.body;
    }, soon);
  }

  async function createEndpoint(settings: object): Promise<string> {
    const { id } = await ask<{ id: string }>('POST', '/v1/endpoints', { ordering: 'key', ...settings });
    return id;
  }

  const change = (endpoint: string, action: string): Promise<unknown> =>
    ask('POST', `/v1/endpoints/${endpoint}/${action}`);

  async function ended(replay: ReplayAnswer): Promise<void> {
    await eventually(async () => {
      const { state, finishedAt } = await ask<ReplayAnswer>('GET', `/v1/replays/${replay.id}`);
      expect(finishedAt).not.toBeNull();
      expect(state).toBe('succeeded');
    }, soon);
  }

  describe(`${name} with events that have an ordering key`, () => {
    describe('under load', () => {
      let receiver: CountingReceiver;
      let load: SteadyLoad;
      afterEach(async () => {
        await load.abandon();
        await receiver.close();
      });

      const accepts = (count: number): Promise<boolean> => {
        const wanted = load.accepted.length + count;
        return eventually(() => load.accepted.length >= wanted, soon);
      };

      it('delivers those of each key one after the other, through retries, pauses, crashes and moves', () =>
        withSeed((random) =>
          platform.explain(async () => {
            receiver = await startCountingReceiver(() => random.number());
            receiver.refuseShare = 0.1;
            receiver.answerMs = 20;
            const retryDelaysMs = Array<number>(20).fill(100);
            const endpoint = await createEndpoint({ url: `${receiver.url}/ordered`, retryDelaysMs });
            load = startLoad({
              urls: platform.urls,
              key: tenant.key,
              keyed: { count: clients, everyMs },
              plain: { count: 0, everyMs, sendAgain: false },
            });
            for (const happens of [platform.crash, ...platform.moves]) {
              await accepts(someEvents);
              await change(endpoint, 'pause');
              await accepts(someEvents);
              await change(endpoint, 'resume');
              await accepts(someEvents);
              await happens();
            }
            await load.stop();

            const ordered = receiver.at('/ordered');
            await eventually(() => expect(ordered.missing(load.accepted)).toHaveLength(0), soon);
            for (const state of ['pending', 'retrying', 'held']) {
              await eventually(async () => {
                const path = `/v1/deliveries?endpointId=${endpoint}&state=${state}&limit=1`;
                expect((await ask<PageAnswer<DeliveryAnswer>>('GET', path)).data).toEqual([]);
              }, soon);
            }
            expect(ordered.overtakings()).toEqual([]);
            // What was under way in the crash comes again, in its place.
            expect(ordered.lateDuplicates).toBe(0);
            expect(ordered.repeated).toBeLessThanOrEqual(clients);
            expect(ordered.refused).toBeGreaterThan(0);
          }),
        ));
    });

    describe('to an endpoint', () => {
      let receiver: KeyedReceiver;
      let endpoint: string;
      let ids: Map<string, string>;
      beforeEach(async () => {
        receiver = await startKeyedReceiver();
        ids = new Map();
      });
      afterEach(() => receiver.close());

      /** Publishes of each key the events with these numbers, those with the same number side by side. */
      async function publish(keys: readonly string[], numbers: readonly number[]): Promise<void> {
        const named = numbers.flatMap((n) => keys.map((key) => ({ key, n })));
        const events = named.map(({ key, n }) => ({
          type: `order.${key}`,
          orderingKey: key,
          idempotencyKey: `${key}-${n}`,
          data: { key, n },
        }));
        const { data } = await ask<{ data: readonly { id: string }[] }>('POST', '/v1/events/batch', {
          events,
        });
        for (const [index, { key, n }] of named.entries()) ids.set(`${key}-${n}`, data[index]?.id ?? '');
      }

      const idOf = (key: string, n: number): string => ids.get(`${key}-${n}`) ?? '';

      async function deliveryOf(key: string, n: number): Promise<DeliveryAnswer> {
        const path = `/v1/deliveries?eventId=${idOf(key, n)}&endpointId=${endpoint}`;
        const [found] = (await ask<PageAnswer<DeliveryAnswer>>('GET', path)).data;
        if (found === undefined) throw new Error(`there is no delivery of ${key}-${n}`);
        return found;
      }

      const becomes = (key: string, n: number, wanted: Partial<DeliveryAnswer>): Promise<void> =>
        eventually(async () => expect(await deliveryOf(key, n)).toMatchObject(wanted), soon);

      /** Resolves when just these have come of a key, in this order. */
      const comes = (key: string, numbers: readonly number[]): Promise<void> =>
        eventually(() => expect(receiver.came(key)).toEqual(numbers), soon);

      it('gives up one of a key (skip): the next ones follow in order, and it comes when it is asked for', () =>
        platform.explain(async () => {
          endpoint = await createEndpoint({ url: receiver.url, retryDelaysMs: [50, 50] });
          receiver.answer = ({ key, n }) => (key === 'a' && n === 1 ? 409 : 204);
          await publish(['a', 'b'], range(0, 4));
          await comes('a', [0, 1, 1, 1, 2, 3]);
          await comes('b', range(0, 4));
          await becomes('a', 1, { state: 'exhausted', reason: 'attempts_exhausted' });

          receiver.answer = () => 204;
          await ask('POST', `/v1/deliveries/${(await deliveryOf('a', 1)).id}/retry`);
          await becomes('a', 1, { state: 'succeeded', attempts: 4 });
          expect(receiver.came('a')).toEqual([0, 1, 1, 1, 2, 3, 1]);
          expect(receiver.overlaps()).toEqual([]);
        }));

      it('holds what is behind one that was given up (hold), and that alone, until it is let go, in order', () =>
        platform.explain(async () => {
          const settings = { url: receiver.url, retryDelaysMs: [50], onExhausted: 'hold' };
          endpoint = await createEndpoint(settings);
          const blocked = ['retry', 'event-replay', 'retry-by-filter', 'replay', 'skip'];
          const all = [...blocked, 'free'];
          const isHeld = { state: 'held', reason: 'order_blocked' };
          receiver.answer = ({ key, n }) => (key !== 'free' && n === 1 ? 409 : 204);
          await publish(all, range(0, 4));
          for (const key of blocked) {
            await becomes(key, 1, { state: 'exhausted', attempts: 2 });
            for (const n of [2, 3]) await becomes(key, n, isHeld);
          }
          await comes('free', range(0, 4));

          await change(endpoint, 'pause');
          await publish(all, [4]);
          await change(endpoint, 'resume');
          await comes('free', range(0, 5));
          await change(endpoint, 'disable');
          await change(endpoint, 'enable');
          await platform.crash();
          await publish(all, [5]);
          await comes('free', range(0, 6));
          for (const key of blocked) {
            for (const n of [4, 5]) await becomes(key, n, isHeld);
            expect(receiver.came(key)).toEqual([0, 1, 1]);
          }

          const retry = async (): Promise<unknown> =>
            ask('POST', `/v1/deliveries/${(await deliveryOf('retry', 1)).id}/retry`);
          await retry();
          await becomes('retry', 1, { state: 'exhausted', attempts: 3 });
          await becomes('retry', 2, isHeld);

          receiver.answer = () => 204;
          await retry();
          await ask('POST', `/v1/events/${idOf('event-replay', 1)}/replay`, {});
          const filters = { endpointId: endpoint, eventType: 'order.retry-by-filter', state: 'exhausted' };
          await ask('POST', '/v1/deliveries/retry', filters);
          await ask('POST', '/v1/replays', { endpoint, eventTypes: ['order.replay'] });
          await comes('retry', [0, 1, 1, 1, ...range(1, 6)]);
          for (const key of ['event-replay', 'retry-by-filter', 'replay']) {
            await comes(key, [0, 1, 1, ...range(1, 6)]);
          }
          expect(receiver.came('skip')).toEqual([0, 1, 1]);
          await ask('PATCH', `/v1/endpoints/${endpoint}`, { onExhausted: 'skip' });
          await comes('skip', [0, 1, 1, ...range(2, 6)]);
          expect(receiver.overlaps()).toEqual([]);
        }));

      it('sends what it missed while it was disabled in order, beside what is new, through a crash', () =>
        withSeed((random) =>
          platform.explain(async () => {
            const keys = ['a', 'b', 'c'];
            endpoint = await createEndpoint({
              url: receiver.url,
              retryDelaysMs: Array<number>(20).fill(100),
            });
            receiver.answer = () =>
              new Promise((answer) =>
                setTimeout(answer, random.integer(0, 20), random.chance(0.1) ? 409 : 204),
              );
            const untilEnded = (states: readonly string[]): Promise<void> =>
              eventually(async () => {
                const query = states.map((state) => `state=${state}`).join('&');
                const path = `/v1/deliveries?endpointId=${endpoint}&${query}&limit=1`;
                expect((await ask<PageAnswer<DeliveryAnswer>>('GET', path)).data).toEqual([]);
              }, soon);

            await publish(keys, range(0, 20));
            await eventually(() => expect(receiver.came('a')).toContain(2), soon);
            await change(endpoint, 'disable');
            await publish(keys, range(20, 30));
            for (const key of keys) await becomes(key, 29, { state: 'held', reason: 'endpoint_disabled' });
            await untilEnded(['pending', 'retrying']);
            const before = new Map(keys.map((key) => [key, once(receiver.came(key))]));
            await change(endpoint, 'enable');
            await publish(keys, range(30, 35));
            for (const key of keys) await becomes(key, 34, { state: 'succeeded' });

            const replay = await ask<ReplayAnswer>('POST', '/v1/replays', {
              endpoint,
              states: ['held'],
              perSecond: 40,
            });
            await eventually(async () => {
              const { progress } = await ask<ReplayAnswer>('GET', `/v1/replays/${replay.id}`);
              expect(progress.done).toBeGreaterThanOrEqual(10);
            }, soon);
            await platform.crash();
            await publish(keys, range(35, 40));
            for (const key of keys) await becomes(key, 39, { state: 'succeeded' });
            await ended(replay);
            await untilEnded(['pending', 'retrying', 'held']);

            for (const key of keys) {
              const came = once(receiver.came(key));
              const sent = before.get(key) ?? [];
              expect(sent).toEqual(range(0, sent.length));
              expect(came.slice(0, sent.length)).toEqual(sent);
              const after = came.slice(sent.length);
              expect(after.filter((n) => n < 30)).toEqual(range(sent.length, 30));
              expect(after.filter((n) => n >= 30)).toEqual(range(30, 40));
            }
            expect(receiver.overlaps()).toEqual([]);
          }),
        ));

      it('replays the past of a key in its order, before what waits there', () =>
        platform.explain(async () => {
          const keys = ['a', 'b', 'c'];
          endpoint = await createEndpoint({ url: receiver.url, retryDelaysMs: [], timeoutMs: 60_000 });
          receiver.answer = () => 409;
          await publish(keys, range(0, 6));
          for (const key of keys) await becomes(key, 5, { state: 'exhausted' });

          const { promise, resolve: answerAll } = Promise.withResolvers<number>();
          receiver.answer = () => promise;
          await publish(keys, range(6, 10));
          for (const key of keys) await comes(key, range(0, 7));
          const replay = await ask<ReplayAnswer>('POST', '/v1/replays', { endpoint, states: ['exhausted'] });
          await ended(replay);
          await publish(keys, [10]);
          answerAll(204);
          for (const key of keys) {
            await eventually(() => expect(receiver.came(key)).toHaveLength(17), soon);
            const came = receiver.came(key).slice(6);
            expect(came.filter((n) => n < 6)).toEqual(range(0, 6));
            expect(came.filter((n) => n >= 6)).toEqual(range(6, 11));
            if (platform.isOneProcess) expect(came).toEqual([6, ...range(0, 6), ...range(7, 11)]);
          }
          expect(receiver.overlaps()).toEqual([]);
        }));
    });
  });
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Each where it came first. */
function once(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)];
}
