import type { Clock, Logger } from '@posthorn/runtime';
import type { DeliveryStore } from './delivery-store.ts';
import type { Directory } from './directory.ts';
import type { EventStore } from './event-store.ts';
import type { TaskStore } from './task-store.ts';

/**
 * Forgets what is older than its organisation keeps: events by `payloadDays`, deliveries, attempts and tasks by `metadataDays`, and
 * everything of an organisation that is no more. It goes over the organisations in small steps with pauses between, so
 * that it is never what somebody waits for.
 */
export interface RetentionSweeper {
  start(): void;
  /** One whole round; answers what was removed. */
  sweep(): Promise<Swept>;
  stop(): Promise<void>;
}

export interface Swept {
  readonly events: number;
  readonly deliveries: number;
  readonly tasks: number;
}

const dayMs = 86_400_000;
const step = 200;
const organisationsAtOnce = 100;
const roundEveryMs = 10 * 60_000;
const firstRoundAfterMs = 60_000;

export function createRetentionSweeper(options: {
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly tasks: Pick<TaskStore, 'organisations' | 'sweep'>;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly logger: Logger;
}): RetentionSweeper {
  const { events, deliveries, tasks, directory, clock, logger } = options;
  let stopped = false;
  let running: Promise<unknown> = Promise.resolve();

  type Store = Pick<EventStore | DeliveryStore | TaskStore, 'organisations' | 'sweep'>;

  async function sweepStore(store: Store, kept: 'payloadDays' | 'metadataDays'): Promise<number> {
    let removed = 0;
    for (let after = ''; !stopped;) {
      const organisations = await store.organisations(after, organisationsAtOnce);
      if (organisations.length === 0) break;
      after = organisations.at(-1) ?? after;
      const unavailable = await directory.loadAvailable(organisations);
      for (const id of organisations) {
        // How long it keeps things isn't known: its turn comes with a later round.
        if (!unavailable.has(id)) removed += await sweepOrganisation(store, id, cutoff(id, kept));
      }
    }
    return removed;
  }

  function cutoff(organisationId: string, kept: 'payloadDays' | 'metadataDays'): Date {
    const view = directory.organisation(organisationId);
    const days = view === null ? 0 : view.organisation.retention[kept];
    return new Date(clock.now() - days * dayMs);
  }

  async function sweepOrganisation(store: Store, organisationId: string, before: Date): Promise<number> {
    let removed = 0;
    while (!stopped) {
      const count = await store.sweep(organisationId, before, step);
      removed += count;
      if (count < step) break;
      await new Promise(setImmediate);
    }
    return removed;
  }

  async function sweep(): Promise<Swept> {
    await directory.bringUpToDate();
    return {
      tasks: await sweepStore(tasks, 'metadataDays'),
      deliveries: await sweepStore(deliveries, 'metadataDays'),
      events: await sweepStore(events, 'payloadDays'),
    };
  }

  function schedule(afterMs: number): void {
    const timer = clock.setTimeout(() => {
      if (stopped) return;
      running = sweep()
        .then((removed) => logger.debug(removed, 'retention swept'))
        .catch((error: unknown) =>
          logger.error({ err: error }, 'the retention sweep failed; it is tried again'),
        )
        .finally(() => schedule(roundEveryMs));
    }, afterMs);
    timer.unref();
  }

  return {
    start: () => schedule(firstRoundAfterMs),
    sweep,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
