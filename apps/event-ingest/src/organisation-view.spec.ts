import { configV1 } from '@posthorn/contracts';
import { DomainError, noPublishLimits, servicePrincipal } from '@posthorn/models';
import { createInProcessClient, defineService, type Client } from '@posthorn/rpc';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import { createOrganisationViews, type OrganisationViews } from './organisation-view.ts';

const principal = servicePrincipal('event-ingest');

/** A config service with one organisation, whose answers can be held back and broken. */
class FakeDirectory {
  revision = 1n;
  types: string[] = ['order.paid'];
  away = false;
  listCalls = 0;
  viewCalls = 0;
  changedSince = new Map<bigint, string[]>();
  beforeView: () => Promise<void> = () => Promise.resolve();
  beforeList: () => Promise<void> = () => Promise.resolve();

  change(types: string[]): void {
    this.types = types;
    for (const ids of this.changedSince.values()) ids.push('o1');
    this.revision += 1n;
  }

  client(clock: FakeClock): Client<typeof configV1.DirectoryServiceService> {
    const registration = defineService(configV1.DirectoryServiceService, {
      listChanges: async ({ sinceRevision }) => {
        this.listCalls += 1;
        const { revision } = this;
        const reset = sinceRevision === 0n;
        const organisationIds = [...(this.changedSince.get(sinceRevision) ?? [])];
        this.changedSince.set(revision, []);
        await this.beforeList();
        if (this.away) throw new DomainError('unavailable', 'away');
        return { revision, organisationIds, reset };
      },
      listPendingVerifications: () => Promise.resolve({ verifications: [] }),
      getOrganisationView: async ({ organisationId, cursor, omitEndpoints }) => {
        this.viewCalls += 1;
        expect(omitEndpoints).toBe(true);
        const { types } = this;
        await this.beforeView();
        if (this.away) throw new DomainError('unavailable', 'away');
        if (organisationId !== 'o1') throw new DomainError('not_found', 'There is no such organisation.');
        const page = Number(cursor === '' ? '0' : cursor);
        return {
          organisation: page === 0 ? organisation : undefined,
          eventTypes: types.slice(page, page + 1).map(eventType),
          policies: [],
          endpoints: [],
          nextCursor: page + 1 < types.length ? String(page + 1) : '',
        };
      },
    });
    return createInProcessClient(registration, { logger: silentLogger, metrics: createMetrics(), clock });
  }
}

const organisation: configV1.Organisation = {
  id: 'o1',
  slug: 'o1',
  name: 'One',
  accountUrl: undefined,
  timeZone: 'UTC',
  branding: undefined,
  requireKnownTypes: true,
  retention: undefined,
  createdAt: undefined,
  updatedAt: undefined,
};

function eventType(name: string): configV1.EventType {
  return {
    organisationId: 'o1',
    name,
    description: '',
    schemaJson: '{"type":"object"}',
    enforcement: configV1.Enforcement.ENFORCEMENT_REJECT,
    retired: false,
    createdAt: undefined,
    updatedAt: undefined,
  };
}

describe('the view of organisations', () => {
  let clock: FakeClock;
  let directory: FakeDirectory;

  beforeEach(() => {
    clock = new FakeClock();
    directory = new FakeDirectory();
  });

  function views(maxAgeMs: number): OrganisationViews {
    return createOrganisationViews({
      directory: directory.client(clock),
      principal,
      clock,
      logger: silentLogger,
      maxAgeMs,
      standardLimits: noPublishLimits,
    });
  }

  const typesOf = async (all: OrganisationViews): Promise<string[]> => [
    ...(await all.get('o1')).types.keys(),
  ];

  it('loads an organisation with all its event types when it is first asked for, and only then', async () => {
    directory.types = ['a', 'b', 'c'];
    const all = views(1000);
    const view = await all.get('o1');
    expect(view.requireKnownTypes).toBe(true);
    expect([...view.types.keys()]).toEqual(['a', 'b', 'c']);
    expect(view.types.get('a')).toEqual({
      retired: false,
      enforcement: 'reject',
      schemaJson: '{"type":"object"}',
    });
    expect(all.get('o1')).toBe(view);
    expect([directory.listCalls, directory.viewCalls]).toEqual([1, 3]);
  });

  it('shares one load between concurrent callers', async () => {
    const all = views(1000);
    await Promise.all([all.get('o1'), all.get('o1'), all.get('o1')]);
    expect([directory.listCalls, directory.viewCalls]).toEqual([1, 1]);
  });

  it('refuses an unknown organisation, and knows it as soon as it is there', async () => {
    const all = views(1000);
    await expect(all.get('o2')).rejects.toMatchObject({ code: 'not_found' });
    await expect(all.get('o2')).rejects.toMatchObject({ code: 'not_found' });
    expect(directory.viewCalls).toBe(2);
  });

  it('looks for changes once its age has come, and loads again only what changed', async () => {
    const all = views(1000);
    expect(await typesOf(all)).toEqual(['order.paid']);
    directory.change(['order.refunded']);
    clock.advance(999);
    expect(await typesOf(all)).toEqual(['order.paid']);
    clock.advance(1);
    expect(await typesOf(all)).toEqual(['order.refunded']);
    clock.advance(1000);
    expect(await typesOf(all)).toEqual(['order.refunded']);
    expect([directory.listCalls, directory.viewCalls]).toEqual([3, 2]);
  });

  it('with an age of 0, shows every change that was answered before it was asked', async () => {
    const all = views(0);
    await typesOf(all);
    for (const type of ['a', 'b', 'c']) {
      directory.change([type]);
      expect(await typesOf(all)).toEqual([type]);
    }
  });

  it('with an age of 0, does not take the answer of a look that began before the change', async () => {
    const all = views(0);
    await typesOf(all);
    let release = (): void => undefined;
    directory.beforeList = () => new Promise((resolve) => (release = resolve));
    const early = typesOf(all);
    await settle();
    directory.change(['new']);
    directory.beforeList = () => Promise.resolve();
    const late = [typesOf(all), typesOf(all)];
    release();
    await early;
    expect(await Promise.all(late)).toEqual([['new'], ['new']]);
    // The first, the early one, and one for both late ones.
    expect(directory.listCalls).toBe(3);
  });

  it('does not keep a view whose load was overtaken by a change', async () => {
    const all = views(1000);
    let release = (): void => undefined;
    directory.beforeView = () => new Promise((resolve) => (release = resolve));
    const early = typesOf(all);
    await settle();
    directory.beforeView = () => Promise.resolve();
    directory.change(['new']);
    clock.advance(1000);
    const late = typesOf(all);
    expect(await late).toEqual(['new']);
    release();
    await early;
    expect(await typesOf(all)).toEqual(['new']);
  });

  it('uses what it saw while the configuration is away, makes nobody wait for it, and gives up after 15 minutes', async () => {
    const all = views(1000);
    await typesOf(all);
    directory.away = true;
    clock.advance(1000);
    expect(await typesOf(all)).toEqual(['order.paid']);
    clock.advance(5000);
    directory.beforeList = () => new Promise(() => undefined);
    expect(all.get('o1')).not.toBeInstanceOf(Promise);
    directory.beforeList = () => Promise.resolve();
    await clock.advanceAsync(15 * 60_000);
    await expect(all.get('o1')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(all.get('o2')).rejects.toMatchObject({ code: 'unavailable' });
    directory.away = false;
    clock.advance(1000);
    expect(await typesOf(all)).toEqual(['order.paid']);
  });

  it('sees changes again after an outage', async () => {
    const all = views(1000);
    await typesOf(all);
    directory.away = true;
    clock.advance(1000);
    await typesOf(all);
    directory.away = false;
    directory.change(['new']);
    clock.advance(1000);
    // The first caller finds out in the background that it is back.
    await typesOf(all);
    await settle();
    expect(await typesOf(all)).toEqual(['new']);
  });
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
