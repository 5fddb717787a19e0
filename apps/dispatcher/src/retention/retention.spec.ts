import { DomainError } from '@posthorn/models';
import { silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { EventStore } from '../events/event-store.ts';
import { directoryOf } from '../lanes/lanes.harness.ts';
import { createRetentionSweeper } from './retention.ts';

const dayMs = 86_400_000;

interface Row {
  readonly organisationId: string;
  readonly at: number;
}

/** A store that knows the time of everything of every organisation. */
function storeOf(rows: Row[]) {
  return {
    steps: 0,
    organisations: (after: string, limit: number) =>
      Promise.resolve(
        [...new Set(rows.map(({ organisationId }) => organisationId))]
          .sort()
          .filter((id) => id > after)
          .slice(0, limit),
      ),
    sweep(organisationId: string, before: Date, limit: number) {
      this.steps += 1;
      const old = rows.filter((row) => row.organisationId === organisationId && row.at < before.getTime());
      for (const row of old.slice(0, limit)) rows.splice(rows.indexOf(row), 1);
      return Promise.resolve(Math.min(old.length, limit));
    },
  };
}

/** Events are kept for 30 days, deliveries and tasks for 90; of `week` all for 7; `gone` is no more. */
function setUp({ databaseExpires = false } = {}) {
  const clock = new FakeClock();
  const ages = [1, 6, 8, 29, 31, 89, 91];
  const rows = (): Row[] =>
    ['month', 'week', 'gone'].flatMap((organisationId) =>
      ages.map((days) => ({ organisationId, at: clock.now() - days * dayMs })),
    );
  const [eventRows, deliveryRows, taskRows, heldRows] = [rows(), rows(), rows(), rows()];
  const jobs = storeOf(rows());
  const deadRows = ages.map((days) => ({ organisationId: 'nobody', at: clock.now() - days * dayMs }));
  const held = storeOf(heldRows);
  const events = storeOf(eventRows);
  const deliveries: ReturnType<typeof storeOf> & Pick<DeliveryStore, 'expireHeld'> = {
    ...storeOf(deliveryRows),
    expireHeld: ({ organisationId, before, limit }) => held.sweep(organisationId, before, limit),
  };
  const known = directoryOf(new Map());
  const erased: string[] = [];
  const state = { away: false, jobsAway: false, isOurs: true, sick: '', loaded: new Set<string>() };
  const sweeper = createRetentionSweeper({
    events: events as Partial<EventStore> as EventStore,
    deliveries: deliveries as Partial<DeliveryStore> as DeliveryStore,
    tasks: storeOf(taskRows),
    jobs: {
      organisations: jobs.organisations,
      sweep: ({ organisationId, before, limit }) => jobs.sweep(organisationId, before, limit),
    },
    deadRecords: { sweep: (before, limit) => storeOf(deadRows).sweep('nobody', before, limit) },
    eraseGone: (id) => {
      if (state.jobsAway) return Promise.reject(new DomainError('unavailable', 'away'));
      erased.push(id);
      return Promise.resolve();
    },
    isOurs: () => state.isOurs,
    databaseExpires,
    directory: {
      ...known,
      bringUpToDate: () =>
        state.away ? Promise.reject(new DomainError('unavailable', 'away')) : Promise.resolve(),
      loadAvailable: (ids) => {
        for (const id of ids) if (id !== state.sick) state.loaded.add(id);
        return Promise.resolve(new Map(state.sick === '' ? [] : [[state.sick, new Error('a bug')]]));
      },
      organisation(id) {
        const view = known.organisation(id);
        if (id === 'gone' || !state.loaded.has(id) || view === null) return null;
        const retention = id === 'week' ? { payloadDays: 7, metadataDays: 7 } : view.organisation.retention;
        return { ...view, organisation: { ...view.organisation, retention } };
      },
    },
    clock,
    logger: silentLogger,
  });
  const left = (all: readonly Row[]): Record<string, number[]> =>
    Object.fromEntries(
      ['month', 'week', 'gone'].map((id) => [
        id,
        all.filter(({ organisationId }) => organisationId === id).map(({ at }) => (clock.now() - at) / dayMs),
      ]),
    );
  return {
    clock,
    sweeper,
    state,
    erased,
    eventRows,
    deliveryRows,
    taskRows,
    heldRows,
    deadRows,
    events,
    left,
  };
}

describe('forgetting', () => {
  it('forgets what is older than its organisation keeps, everything of one that is no more, nothing else', async () => {
    const { sweeper, eventRows, deliveryRows, taskRows, left } = setUp();
    expect(await sweeper.sweep()).toMatchObject({
      events: 3 + 5 + 7,
      deliveries: 1 + 5 + 7,
      tasks: 1 + 5 + 7,
      replays: 1 + 5 + 7,
    });
    expect(left(eventRows)).toEqual({ month: [1, 6, 8, 29], week: [1, 6], gone: [] });
    expect(left(deliveryRows)).toEqual({ month: [1, 6, 8, 29, 31, 89], week: [1, 6], gone: [] });
    expect(left(taskRows)).toEqual({ month: [1, 6, 8, 29, 31, 89], week: [1, 6], gone: [] });
  });

  it('has what an organisation left that is no more erased on record, once', async () => {
    const { sweeper, state, erased } = setUp();
    state.jobsAway = true;
    await expect(sweeper.sweep()).rejects.toMatchObject({ code: 'unavailable' });
    state.jobsAway = false;
    await sweeper.sweep();
    await sweeper.sweep();
    expect(erased).toEqual(['gone']);
  });

  it('cancels what is held beyond its payload', async () => {
    const { sweeper, heldRows, left } = setUp();
    // Of `gone` there are deliveries no more by then.
    expect(await sweeper.sweep()).toMatchObject({ expired: 3 + 5 });
    expect(left(heldRows)).toMatchObject({ month: [1, 6, 8, 29], week: [1, 6] });
  });

  it('forgets dead records after 90 days', async () => {
    const { sweeper, deadRows } = setUp();
    expect(await sweeper.sweep()).toMatchObject({ deadRecords: 1 });
    expect(deadRows).toHaveLength(6);
  });

  it('leaves it to whoever of several processes does it', async () => {
    const { sweeper, state, eventRows, deliveryRows, taskRows } = setUp();
    state.isOurs = false;
    const nothing = { events: 0, deliveries: 0, tasks: 0, replays: 0, expired: 0, deadRecords: 0 };
    expect(await sweeper.sweep()).toEqual(nothing);
    expect([eventRows.length, deliveryRows.length, taskRows.length]).toEqual([21, 21, 21]);
  });

  it('gives a database that removes by itself two hours, but not for what an organisation had that is no more', async () => {
    const { clock, sweeper, eventRows, heldRows, left } = setUp({ databaseExpires: true });
    const late = { organisationId: 'month', at: clock.now() - 30 * dayMs - 7_200_000 };
    const later = { organisationId: 'month', at: clock.now() - 30 * dayMs - 7_200_001 };
    eventRows.push(late, later);
    heldRows.push({ ...late });
    await sweeper.sweep();
    expect(eventRows).toContain(late);
    expect(eventRows).not.toContain(later);
    expect(left(eventRows)).toMatchObject({ week: [1, 6], gone: [] });
    expect(left(heldRows)).toMatchObject({ month: [1, 6, 8, 29] });
  });

  it('goes in small steps until nothing is left to forget', async () => {
    const { clock, sweeper, eventRows, events } = setUp();
    for (let n = 0; n < 450; n += 1)
      eventRows.push({ organisationId: 'month', at: clock.now() - 40 * dayMs });
    await sweeper.sweep();
    expect(eventRows).toHaveLength(4 + 2);
    // Three for `month`, one for each of the others.
    expect(events.steps).toBe(3 + 2);
  });

  it('goes over all organisations, however many', async () => {
    const { clock, sweeper, eventRows } = setUp();
    for (let n = 0; n < 250; n += 1) {
      eventRows.push({ organisationId: `org-${n}`, at: clock.now() - 40 * dayMs });
    }
    await sweeper.sweep();
    expect(eventRows).toHaveLength(4 + 2);
  });

  it('forgets nothing while nobody can say how long it is to be kept', async () => {
    const { sweeper, state, eventRows, deliveryRows } = setUp();
    state.away = true;
    await expect(sweeper.sweep()).rejects.toMatchObject({ code: 'unavailable' });
    expect([eventRows.length, deliveryRows.length]).toEqual([21, 21]);
  });

  it('forgets nothing of an organisation whose view cannot be had, and what is old of all others', async () => {
    const { sweeper, state, eventRows, left } = setUp();
    state.sick = 'month';
    await sweeper.sweep();
    expect(left(eventRows).month).toHaveLength(7);
    expect(left(eventRows)).toMatchObject({ week: [1, 6], gone: [] });
    state.sick = '';
    await sweeper.sweep();
    expect(left(eventRows).month).toEqual([1, 6, 8, 29]);
  });

  it('begins a minute after the start and comes round every ten minutes, also after a failure, until it is stopped', async () => {
    const { clock, sweeper, state, eventRows } = setUp();
    sweeper.start();
    state.away = true;
    await clock.advanceAsync(60_000);
    expect(eventRows).toHaveLength(21);
    state.away = false;
    await clock.advanceAsync(10 * 60_000);
    expect(eventRows).toHaveLength(4 + 2);
    await sweeper.stop();
    eventRows.push({ organisationId: 'gone', at: 0 });
    await clock.advanceAsync(60 * 60_000);
    expect(eventRows).toHaveLength(4 + 2 + 1);
    expect(clock.pendingTimers).toBe(0);
  });
});
