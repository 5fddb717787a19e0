/**
 * A steady load on a tenant with two endpoints of one receiver: `/ordered` gets the events that have an ordering key, in their
 * order, `/all` gets every event. Says at any time how well it goes, and in the end whether anything was lost.
 */
import { eventually } from '@posthorn/testing';
import { createTenant, patienceMs, type PageAnswer, type ServedPlatform, type Tenant } from '../tenant.ts';
import { startCountingReceiver, type CountingReceiver, type PathLedger } from './counting-receiver.ts';
import { startLoad, type AcceptedEvent, type SteadyLoad } from './steady-load.ts';

export interface LoadedPlatform extends ServedPlatform {
  /** Of each gateway. */
  readonly urls: readonly string[];
}

export interface LoadOnTenant {
  readonly tenant: Tenant;
  readonly receiver: CountingReceiver;
  readonly load: SteadyLoad;
  readonly ordered: PathLedger;
  readonly all: PathLedger;
  /** Accepted events that an endpoint hasn't got. */
  readonly missing: readonly AcceptedEvent[];
  /** Resolves when so many more events were delivered everywhere. */
  untilDelivered(count: number): Promise<void>;
  /** Resolves when so many more events were accepted. */
  untilAccepted(count: number): Promise<void>;
  /** Makes something fail; resolves when events are accepted again and all that were accepted by then are delivered. */
  recover(fail: () => Promise<void>): Promise<Recovery>;
  /** Ends the load; resolves when all that was accepted is delivered and nothing is under way. */
  finish(): Promise<void>;
  /** Counts, for a person. */
  summary(): string;
  /** Ends the load whatever became of it, and the receiver. */
  close(): Promise<void>;
}

/** How much was felt of a fault, in seconds. */
export interface Recovery {
  /** The longest time in which no event was accepted. */
  readonly publishingPaused: number;
  /** The longest that an event took from being accepted to being delivered. */
  readonly slowestDelivery: number;
  /** From the end of the fault until events were accepted again and all that were accepted by then delivered. */
  readonly toRecover: number;
}

export interface LoadOnTenantOptions {
  /** The receiver's. */
  readonly refuseShare?: number;
  readonly answerMs: number;
  /** Whether clients without an ordering key send again what wasn't accepted. */
  readonly plainSendAgain: boolean;
  /** The name that the endpoints call the receiver by; its address when absent. */
  readonly host?: string;
}

/** Together some 50 events a second. Each key has few: what one is behind after a fault goes out one by one. */
const keyed = { count: 40, everyMs: 3000 };
const plain = { count: 30, everyMs: 800 };
const retryDelaysMs = [100, 200, 400, 800, 1600, ...Array<number>(12).fill(3200)];
/** How long events are published that feel the fault. */
const feltMs = 5000;
/** How long a fault may take to be over, on a slow machine: what nobody holds any more is claimed for 35 s. */
const recoveryLimitMs = 240_000;

/** Makes the tenant and its endpoints, and begins to publish. */
export async function startLoadOnTenant(
  platform: LoadedPlatform,
  options: LoadOnTenantOptions,
): Promise<LoadOnTenant> {
  const tenant = await createTenant(platform);
  const receiver = await startCountingReceiver();
  receiver.answerMs = options.answerMs;
  receiver.refuseShare = options.refuseShare ?? 0;
  const url = new URL(receiver.url);
  if (options.host !== undefined) url.hostname = options.host;
  try {
    const endpoint = { retryDelaysMs, timeoutMs: 5000, maxInFlight: 50 };
    await tenant.endpoint({
      ...endpoint,
      url: `${url.origin}/ordered`,
      eventTypes: ['load.keyed'],
      ordering: 'key',
    });
    await tenant.endpoint({ ...endpoint, url: `${url.origin}/all` });
  } catch (error) {
    await receiver.close();
    throw error;
  }
  const load = startLoad({
    urls: platform.urls,
    key: tenant.key,
    keyed,
    plain: { ...plain, sendAgain: options.plainSendAgain },
  });
  const ordered = receiver.at('/ordered');
  const all = receiver.at('/all');

  /** What hasn't come of these, from the endpoints that are to get it. */
  function missing(events: readonly AcceptedEvent[]): readonly AcceptedEvent[] {
    return [...ordered.missing(events.filter(isKeyed)), ...all.missing(events)];
  }

  async function untilAccepted(count: number): Promise<void> {
    const wanted = load.accepted.length + count;
    await eventually(() => load.accepted.length >= wanted, {
      timeoutMs: patienceMs,
      everyMs: 50,
      message: `Accepting ${count} more events`,
    });
  }

  /** The longest that any of these took from being accepted to being delivered, in seconds. */
  function slowestOf(events: readonly AcceptedEvent[]): number {
    return Math.max(...events.map((event) => lastTakenAt(event) - event.acceptedAtMs)) / 1000;
  }

  /** How long after the fault's end the first event was accepted, and the last one delivered that had felt it, in seconds. */
  function recoveredAfter(felt: readonly AcceptedEvent[], endedAt: number): number {
    const first = felt.find(({ acceptedAtMs }) => acceptedAtMs > endedAt)?.acceptedAtMs ?? endedAt;
    const before = felt.filter(({ acceptedAtMs }) => acceptedAtMs <= endedAt);
    return (Math.max(first, ...before.map(lastTakenAt)) - endedAt) / 1000;
  }

  /** When the last of its endpoints took it. */
  function lastTakenAt(event: AcceptedEvent): number {
    const times = [all.takenAt(event.id), ...(isKeyed(event) ? [ordered.takenAt(event.id)] : [])];
    return Math.max(...times.map((time) => time ?? Infinity));
  }

  async function untilNoneIsMissing(events: readonly AcceptedEvent[], timeoutMs: number): Promise<void> {
    await eventually(
      () => {
        const left = missing(events);
        if (left.length > 0)
          throw new Error(`${left.length} are missing: ${JSON.stringify(left.slice(0, 4))}`);
      },
      { timeoutMs, everyMs: 50, message: `Delivering all of ${events.length} events` },
    );
  }

  return {
    tenant,
    receiver,
    load,
    ordered,
    all,
    get missing() {
      return missing(load.accepted);
    },
    untilAccepted,
    async untilDelivered(count) {
      const before = load.accepted.length;
      await untilAccepted(count);
      await untilNoneIsMissing(load.accepted.slice(before, before + count), patienceMs);
    },
    async recover(fail) {
      const failedAt = performance.now();
      await fail();
      const endedAt = performance.now();
      const isOverAt = Math.max(endedAt, failedAt + feltMs);
      await eventually(() => load.lastSuccessBeganAtMs > isOverAt, {
        timeoutMs: recoveryLimitMs,
        everyMs: 50,
        message: 'Accepting events again',
      });
      const accepted = [...load.accepted];
      await untilNoneIsMissing(accepted, recoveryLimitMs);
      const felt = accepted.filter(({ acceptedAtMs }) => acceptedAtMs >= failedAt);
      const pauses = felt.map(
        ({ acceptedAtMs }, index) => acceptedAtMs - (felt[index - 1]?.acceptedAtMs ?? failedAt),
      );
      return {
        publishingPaused: Math.max(...pauses) / 1000,
        slowestDelivery: slowestOf(felt),
        toRecover: recoveredAfter(felt, endedAt),
      };
    },
    async finish() {
      await load.stop();
      await untilNoneIsMissing(load.accepted, patienceMs);
      for (const state of ['pending', 'retrying']) {
        await eventually(
          async () => {
            const { data } = await tenant.ok<PageAnswer<object>>(
              'GET',
              `/v1/deliveries?state=${state}&limit=1`,
            );
            if (data.length > 0) throw new Error(JSON.stringify(data));
          },
          { timeoutMs: patienceMs, everyMs: 100, message: `No delivery being ${state}` },
        );
      }
    },
    summary() {
      const requests = ordered.requests + all.requests;
      const refusals = [...load.refusals].map(([what, times]) => `\n    ${times} × ${what}`).join('');
      return (
        `${load.accepted.length} events accepted, ${requests} requests ` +
        `(${ordered.refused + all.refused} of them refused), ${missing(load.accepted).length} lost, ` +
        `${ordered.duplicates + all.duplicates} duplicates (${ordered.lateDuplicates} of keyed events after a later one), ` +
        `${ordered.overtakings().length} out of order, ` +
        `the slowest delivered after ${slowestOf(load.accepted).toFixed(1)} s; ` +
        `${load.unanswered} publishes given up, ${load.sentAgain} sent again (at most ${load.mostTries} times)${refusals}\n`
      );
    },
    async close() {
      await load.abandon();
      await receiver.close();
    },
  };
}

function isKeyed({ client }: AcceptedEvent): boolean {
  return client.startsWith('keyed');
}
