import type { Clock } from '@posthorn/runtime';
import { delayedDelivery } from '../lanes/deliver-later.ts';
import type { Directory } from '../directory.ts';
import type { DueClock } from '../due-clock.ts';
import { heldDelivery } from '../lanes/hold.ts';
import type { HomeLines, Line } from './home-lines.ts';
import type { Homes } from './homes.ts';
import type { KeyOrder } from '../lanes/key-order.ts';
import { takeMark, type QueuedDelivery } from '../lanes/queued-delivery.ts';
import type { Recorder } from '../record.ts';

/**
 * What the planner does with deliveries that don't go out from their event's partition: it puts them into storage where their endpoint's
 * home is, in the order of the log, and the log moves on when they are on record there. Planned again after a crash they are the
 * same, so nothing is doubled; whoever owns the home is told (homecoming.ts).
 */
export interface Homeward {
  /** Whether it has to be looked up where keys of these wait. */
  mustLookUp(planned: readonly QueuedDelivery[]): boolean;
  lookUp(planned: readonly QueuedDelivery[]): Promise<void>;
  /** True: it has been taken over. */
  put(queued: QueuedDelivery): boolean;
}

export function createHomeward(options: {
  readonly homes: Homes;
  readonly lines: HomeLines;
  readonly keys: () => Pick<KeyOrder, 'hasLine'>;
  readonly directory: Pick<Directory, 'endpoint'>;
  readonly recorder: Pick<Recorder, 'add'>;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  /** Something is on record at a home. */
  readonly onPut: (partition: number) => void;
  readonly onRoom: () => void;
}): Homeward {
  const { homes, lines, directory, recorder, clock, dueClock } = options;
  /** Lines that don't stand in their events' partition although their endpoint has no home: as they were looked up last. */
  const lookedUp = new WeakMap<QueuedDelivery, number>();

  const endpointOf = ({ delivery }: QueuedDelivery) =>
    directory.endpoint(delivery.organisationId, delivery.endpointId);

  function lineOf({ delivery, holding, order }: QueuedDelivery): Line {
    const { organisationId, endpointId } = delivery;
    const { partition, epoch } = holding;
    return { organisationId, endpointId, partition, epoch, key: order?.key ?? '' };
  }

  /** Where it belongs. */
  function placeOf(queued: QueuedDelivery): number {
    const endpoint = endpointOf(queued)?.endpoint;
    const { partition } = queued.holding;
    if (endpoint === undefined) return partition;
    // What stands before it in its event's partition goes home first, if it has to.
    if (queued.order !== null && options.keys().hasLine(queued.holding, lineOf(queued))) return partition;
    return homes.of(endpoint) ?? lookedUp.get(queued) ?? partition;
  }

  /** Its line, when it isn't known where that belongs. */
  function unknownLine(queued: QueuedDelivery): Line | null {
    const endpoint = queued.order === null ? undefined : endpointOf(queued);
    if (endpoint === undefined) return null;
    const line = lineOf(queued);
    return lines.placeOf(line, endpoint) === null ? line : null;
  }

  return {
    mustLookUp: (planned) => planned.some((queued) => unknownLine(queued) !== null),

    async lookUp(planned) {
      // Once for each line: what is looked up later may have another answer, and would overtake.
      const places = new Map<string, Promise<number>>();
      const asked: [QueuedDelivery, Promise<number>][] = [];
      for (const queued of planned) {
        const line = unknownLine(queued);
        if (line === null) continue;
        const name = `${line.endpointId} ${line.key}`;
        const place = places.get(name) ?? lines.lookUp(line);
        places.set(name, place);
        asked.push([queued, place]);
      }
      await Promise.all(places.values());
      for (const [queued, place] of asked) lookedUp.set(queued, await place);
    },

    put(queued) {
      const { delivery, event, holding, order } = queued;
      const partition = placeOf(queued);
      if (partition === holding.partition) return false;
      const endpoint = endpointOf(queued);
      // Due from when it was accepted: the clock that looks is another's.
      const dueNow = new Date(Math.min(dueClock.now(), event.acceptedAt.getTime()));
      const waiting =
        delayedDelivery(queued, endpoint, dueClock) ??
        heldDelivery(delivery, endpoint, { now: new Date(clock.now()), dueNow });
      const waitsUnder = waiting.nextAttemptAt === null ? null : order;
      const durable = waitsUnder === null ? undefined : lines.going(lineOf(queued));
      recorder.add(
        {
          kind: 'insert',
          delivery: waitsUnder === null ? waiting : { ...waiting, nextAttemptAt: null },
          partition,
          epoch: 0,
          order: waitsUnder,
          claim: null,
          attempt: null,
        },
        takeMark(queued),
        () => {
          durable?.();
          options.onPut(partition);
          options.onRoom();
        },
      );
      return true;
    },
  };
}
