import type { Task } from '@posthorn/models';
import { sampleTime } from '../deliveries/sample-deliveries.ts';
import type { TaskStore } from './task-store.ts';

export interface TasksUnderTest {
  readonly tasks: TaskStore;
  close(): Promise<void>;
}

function sampleTask(number: number, over: Partial<Task> = {}): Task {
  return {
    id: `task-${String(number).padStart(4, '0')}`,
    organisationId: 'org',
    endpointId: 'endpoint',
    kind: 'test',
    keyId: null,
    eventId: null,
    state: 'pending',
    error: null,
    createdAt: sampleTime(number),
    startedAt: null,
    completedAt: null,
    ...over,
  };
}

const wholePage = { limit: 100, offset: 0, afterId: null, beforeId: null };

/** What every adapter of the task store guarantees. */
export function describeTaskStore(name: string, open: () => Promise<TasksUnderTest>): void {
  describe(`${name} keeps the contract of the task store`, () => {
    let subject: TasksUnderTest;
    let tasks: TaskStore;
    beforeEach(async () => {
      subject = await open();
      ({ tasks } = subject);
    });
    afterEach(() => subject.close());

    it('gives a task back as it was put on record', async () => {
      const task = sampleTask(1, {
        kind: 'verification',
        keyId: 'key',
        error: 'why',
        completedAt: sampleTime(9),
      });

      expect(await tasks.insert(task)).toEqual(task);
      expect(await tasks.get('org', task.id)).toEqual(task);
      expect(await tasks.get(null, task.id)).toEqual(task);
    });

    it('knows no task of another organisation', async () => {
      await tasks.insert(sampleTask(1));

      expect(await tasks.get('other', sampleTask(1).id)).toBeNull();
      expect(await tasks.get('org', 'unknown')).toBeNull();
    });

    it('keeps the task that is there when one with its id is put on record', async () => {
      await tasks.insert(sampleTask(1));

      expect(await tasks.insert(sampleTask(1, { endpointId: 'another' }))).toEqual(sampleTask(1));
    });

    it('lets one of many begin a task', async () => {
      const { id } = await tasks.insert(sampleTask(1));
      const answers = await Promise.all(
        ['a', 'b', 'c'].map((eventId) => tasks.begin(id, { eventId, at: sampleTime(2) })),
      );

      expect(answers.filter(Boolean)).toHaveLength(1);
      const winner = ['a', 'b', 'c'][answers.indexOf(true)];
      expect(await tasks.get('org', id)).toEqual(
        sampleTask(1, { state: 'processing', eventId: winner ?? null, startedAt: sampleTime(2) }),
      );
    });

    it('ends a task once, and only one that was begun', async () => {
      const { id } = await tasks.insert(sampleTask(1));
      const end = { state: 'failed', error: 'It answered 500.', at: sampleTime(3) } as const;

      expect(await tasks.complete(id, end)).toBe(false);
      await tasks.begin(id, { eventId: 'event', at: sampleTime(2) });
      expect(await tasks.complete(id, end)).toBe(true);
      expect(await tasks.complete(id, { state: 'succeeded', error: null, at: sampleTime(4) })).toBe(false);
      expect(await tasks.begin(id, { eventId: 'again', at: sampleTime(5) })).toBe(false);
      expect(await tasks.get('org', id)).toMatchObject({
        state: 'failed',
        error: 'It answered 500.',
        completedAt: sampleTime(3),
        eventId: 'event',
      });
    });

    it('lets one of many end a task, also when they say the same of it', async () => {
      const { id } = await tasks.insert(sampleTask(1));
      await tasks.begin(id, { eventId: 'event', at: sampleTime(2) });
      const end = { state: 'failed', error: 'It answered 500.', at: sampleTime(3) } as const;
      const answers = await Promise.all(Array.from({ length: 5 }, () => tasks.complete(id, end)));

      expect(answers.filter((isEnded) => isEnded)).toHaveLength(1);
    });

    it('tells what has not ended, oldest first', async () => {
      for (const number of [3, 1, 2, 4]) await tasks.insert(sampleTask(number));
      await tasks.begin('task-0002', { eventId: 'event', at: sampleTime(5) });
      await tasks.begin('task-0001', { eventId: 'event', at: sampleTime(5) });
      await tasks.complete('task-0001', { state: 'succeeded', error: null, at: sampleTime(6) });

      expect((await tasks.unfinished(2)).map(({ id }) => id)).toEqual(['task-0002', 'task-0003']);
    });

    describe('a list', () => {
      beforeEach(async () => {
        for (const number of [1, 2, 3, 4, 5]) {
          // Two that were made at the same time.
          await tasks.insert(sampleTask(number, { createdAt: sampleTime(Math.min(number, 4)) }));
        }
        await tasks.insert(sampleTask(6, { endpointId: 'another' }));
        await tasks.insert(sampleTask(7, { organisationId: 'other' }));
      });
      const list = async (over: Partial<Parameters<TaskStore['list']>[0]>) => {
        const { items, ...rest } = await tasks.list({
          organisationIds: ['org'],
          endpointIds: [],
          page: wholePage,
          ...over,
        });
        return { numbers: items.map(({ id }) => Number(id.slice(-4))), ...rest };
      };

      it('is newest first, of the organisations and endpoints asked for', async () => {
        expect(await list({})).toEqual({ numbers: [6, 5, 4, 3, 2, 1], total: 6, hasMore: false });
        expect(await list({ organisationIds: [] })).toMatchObject({
          numbers: [7, 6, 5, 4, 3, 2, 1],
          total: 7,
        });
        expect(await list({ endpointIds: ['another'] })).toMatchObject({ numbers: [6], total: 1 });
        expect(await list({ organisationIds: ['unknown'] })).toMatchObject({ numbers: [], total: 0 });
        await tasks.insert(sampleTask(8, { kind: 'verification' }));
        expect(await list({ kind: 'verification' })).toMatchObject({ numbers: [8], total: 1 });
        expect(await list({ kind: 'test' })).toMatchObject({ numbers: [6, 5, 4, 3, 2, 1], total: 6 });
      });

      it.each([
        [{ limit: 2, offset: 1 }, [5, 4], true],
        [{ limit: 2, offset: 4 }, [2, 1], false],
        [{ limit: 0 }, [], true],
        [{ limit: 2, afterId: 'task-0005' }, [4, 3], true],
        [{ limit: 3, afterId: 'task-0003' }, [2, 1], false],
        [{ limit: 2, beforeId: 'task-0003' }, [5, 4], true],
        [{ limit: 3, beforeId: 'task-0003' }, [6, 5, 4], false],
        [{ limit: 2, afterId: 'unknown' }, [], false],
        [{ limit: 2, afterId: 'task-0007' }, [], false],
      ])('has the page %j', async (page, numbers, hasMore) => {
        expect(await list({ page: { ...wholePage, ...page } })).toEqual({ numbers, total: 6, hasMore });
      });
    });

    it('forgets old tasks of an organisation, a few at a time', async () => {
      for (const number of [1, 2, 3, 4]) await tasks.insert(sampleTask(number));
      await tasks.insert(sampleTask(5, { organisationId: 'other', createdAt: sampleTime(1) }));

      expect(await tasks.sweep('org', sampleTime(4), 2)).toBe(2);
      expect(await tasks.sweep('org', sampleTime(4), 2)).toBe(1);
      const { items } = await tasks.list({ organisationIds: [], endpointIds: [], page: wholePage });
      expect(items.map(({ id }) => id)).toEqual(['task-0004', 'task-0005']);
    });

    it('names the organisations that have tasks, page by page', async () => {
      for (const [index, organisationId] of ['c', 'a', 'b', 'a'].entries()) {
        await tasks.insert(sampleTask(index, { organisationId }));
      }

      expect(await tasks.organisations('', 2)).toEqual(['a', 'b']);
      expect(await tasks.organisations('b', 2)).toEqual(['c']);
      expect(await tasks.organisations('c', 2)).toEqual([]);
    });
  });
}
