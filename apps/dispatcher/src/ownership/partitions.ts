/**
 * What happens when a partition becomes this process's, and when it stops being that (pipeline rule 12).
 * Assigned: its lease is taken (when its former owner has given it back, or is dead), what that one had in its hands is given
 * back to storage, what waits there is made known to the lanes, and reading begins where the books say.
 * Revoked: nothing new of it starts; what waits goes to storage; what is under way gets a moment to end, and is put on record with
 * its claim otherwise, which the next owner respects for as long as the attempt may take; then the books are written and the
 * lease is given back. Nothing is repeated.
 */
import type { LogConsumer } from '@posthorn/event-log';
import type { Clock, Logger } from '@posthorn/runtime';
import type { Backpressure } from '../intake/backpressure.ts';
import type { Books } from '../intake/books.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { DueClock } from '../due-clock.ts';
import type { Intake } from '../intake/intake.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { LeftClaim } from './lease-store.ts';
import type { Acquired, Holding, Ownership } from './ownership.ts';
import type { Recorder } from '../record.ts';

export interface Partitions extends Pick<LogConsumer, 'assigned' | 'revoked'> {
  /** Promotes what others have put into the order of keys, in partitions that are held: now and then. */
  lookAtKeys(): Promise<void>;
  /** The process stops: what is revoked from now on ends by then, and where there is no other owner, not before. */
  stopUntil(signal: AbortSignal): void;
}

export interface PartitionsOptions {
  readonly ownership: Ownership;
  /** Whether there can be no other owner. */
  readonly isExclusive: boolean;
  readonly deliveries: DeliveryStore;
  readonly books: Books;
  readonly lanes: Lanes;
  readonly intake: Pick<Intake, 'forget'>;
  readonly backpressure: Pick<Backpressure, 'forget'>;
  readonly directory: Pick<Directory, 'loadAvailable'>;
  readonly recorder: Recorder;
  /** Tells the lanes what waits in these partitions. */
  readonly findWaiting: (partitions: readonly number[]) => Promise<void>;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly logger: Logger;
}

/** How long attempts under way have to end when a partition is handed over. */
const handOverMs = 1000;
/** Beyond what is left of an attempt's timeout, for its outcome to be written. */
const recordingMs = 5000;
const keysAtOnce = 500;
const mostKeysAtOnce = 5000;

export function createPartitions(options: PartitionsOptions): Partitions {
  const { ownership, deliveries, books, lanes, intake, backpressure, recorder, clock, dueClock, logger } =
    options;
  let stopSignal: AbortSignal | null = null;

  async function takeUp({ holding, lease }: Acquired): Promise<number> {
    const { partition, epoch, inHands } = holding;
    await deliveries.releaseClaims({ partition, keep: inHands, now: new Date(dueClock.now()) });
    await promoteKeys(holding);
    await options.findWaiting([partition]);
    if (holding.state !== 'held') throw new Error(`partition ${partition} was revoked while it was taken up`);
    for (const { forMs } of lease.left) lookAgainAfter(holding, forMs);
    books.open(partition, epoch, lease.next);
    return lease.next;
  }

  /** What a former owner left under way has ended by then, or never will. */
  function lookAgainAfter(holding: Holding, ms: number): void {
    const { partition } = holding;
    clock
      .setTimeout(() => {
        if (holding.state !== 'held') return;
        void (async () => {
          await deliveries.releaseClaims({ partition, keep: holding.inHands, now: new Date(dueClock.now()) });
          await promoteKeys(holding);
          await options.findWaiting([partition]);
        })().catch((error: unknown) => {
          logger.error(
            { err: error, partition },
            'what a former owner left could not be taken up; trying again',
          );
          lookAgainAfter(holding, handOverMs);
        });
      }, ms)
      .unref();
  }

  async function promoteKeys(holding: Holding, most = Infinity): Promise<void> {
    const { partition } = holding;
    let seen = 0;
    let place: Parameters<DeliveryStore['promoteKeys']>[0]['after'] = null;
    do {
      const turns = lanes.keys.turns(holding);
      const { keys, next } = await deliveries.promoteKeys({
        partition,
        now: new Date(dueClock.now()),
        after: place,
        limit: keysAtOnce,
      });
      await options.directory.loadAvailable(new Set(keys.map(({ key }) => key.organisationId)));
      lanes.keys.learn(holding, { keys, isComplete: next === null, turns });
      place = next;
      seen += keys.length;
    } while (place !== null && holding.state === 'held' && seen < most);
  }

  async function handOver(holding: Holding): Promise<void> {
    const { partition } = holding;
    lanes.park(holding);
    await intake.forget(partition);
    // What was being planned meanwhile went to storage.
    // Where nobody waits for the partition, what is under way has as long as the stop allows.
    const untilStopped = stopSignal === null ? [] : [stopSignal];
    const isWaitedFor = !options.isExclusive || stopSignal === null;
    const moment = AbortSignal.any([...untilStopped, ...(isWaitedFor ? [timeout(handOverMs)] : [])]);
    await lanes.ended(holding, moment);
    const { forMs, crowded } = lanes.leave(holding);
    await recorder.drain(AbortSignal.any([holding.whenLost, ...untilStopped]));
    const left: LeftClaim[] = [...holding.stillLeft()];
    if (forMs > 0) left.push({ claim: holding.claim, forMs: forMs + recordingMs, crowded });
    // Where nobody else can be the owner, the next one is this process's heir, and nothing is under way any more.
    await ownership.giveBack(partition, options.isExclusive ? left.map(withoutCrowd) : left);
  }

  function forget(holding: Holding): void {
    books.close(holding.partition);
    backpressure.forget(holding.partition);
    lanes.drop(holding);
  }

  function timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    clock.setTimeout(() => controller.abort(), ms).unref();
    return controller.signal;
  }

  ownership.onLost((holding) => {
    void intake.forget(holding.partition);
    forget(holding);
  });

  return {
    async assigned(partition) {
      const acquired = await ownership.acquire(partition);
      if (acquired === null) throw new Error(`partition ${partition} was revoked before it could be had`);
      return takeUp(acquired);
    },
    async revoked(partition) {
      const holding = ownership.find(partition);
      ownership.end(partition);
      if (holding === undefined) return;
      await handOver(holding);
      forget(holding);
    },
    async lookAtKeys() {
      for (const holding of ownership.held()) await promoteKeys(holding, mostKeysAtOnce);
    },
    stopUntil(signal) {
      stopSignal = signal;
    },
  };
}

function withoutCrowd({ claim, forMs }: LeftClaim): LeftClaim {
  return { claim, forMs };
}
