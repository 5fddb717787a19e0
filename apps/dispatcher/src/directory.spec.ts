import { configV1, organisationToMessage, signingEndpointToMessage } from '@posthorn/contracts';
import { DomainError, noUsageLimits, servicePrincipal } from '@posthorn/models';
import { createInProcessClient, defineService } from '@posthorn/rpc';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { createDirectory } from './directory.ts';
import { endpointId, simulatedEndpoint } from './simulation/simulated-life.harness.ts';

const principal = servicePrincipal('dispatcher');
const createdAt = new Date(0);

/** A config service whose answers the test holds back and lets go. */
function setUp() {
  const state = {
    revision: 1n,
    changed: [] as string[],
    endpoints: [1],
    exists: true,
    /** Awaited after a view was read, before it is answered. */
    beforeViewIsAnswered: (): Promise<void> => Promise.resolve(),
    views: 0,
    away: false,
    /** Its view can't be had. */
    sick: '',
  };
  const service = defineService(configV1.DirectoryServiceService, {
    listChanges: () =>
      state.away
        ? Promise.reject(new DomainError('unavailable', 'away'))
        : Promise.resolve({ revision: state.revision, organisationIds: state.changed, reset: false }),
    listPendingVerifications: () => Promise.resolve({ verifications: [] }),
    async getOrganisationView({ organisationId }) {
      state.views += 1;
      if (organisationId === state.sick) throw new Error('a bug');
      if (!state.exists) throw new DomainError('not_found', 'no such organisation');
      const answer = {
        organisation: organisationToMessage({
          id: organisationId,
          slug: 'acme',
          name: 'Acme',
          accountUrl: null,
          timeZone: 'UTC',
          branding: { name: null, iconUrl: null, thumbnailUrl: null },
          requireKnownTypes: false,
          defaultRicloudEndpoint: null,
          retention: { payloadDays: 30, metadataDays: 90 },
          limits: noUsageLimits,
          createdAt,
          updatedAt: createdAt,
        }),
        eventTypes: [],
        policies: [],
        endpoints: state.endpoints.map((number) =>
          signingEndpointToMessage(simulatedEndpoint({ organisationId }, number)),
        ),
        nextCursor: '',
      };
      await state.beforeViewIsAnswered();
      return answer;
    },
  });
  const client = createInProcessClient(service, {
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
  });
  return { state, directory: createDirectory({ client, principal }) };
}

describe("the dispatcher's view of the configuration", () => {
  it('has an endpoint that was created before the barrier began', async () => {
    const { state, directory } = setUp();
    await directory.bringUpToDate();
    await directory.load(['org']);
    expect(directory.endpoint('org', endpointId(2))).toBeUndefined();
    Object.assign(state, { revision: 2n, changed: ['org'], endpoints: [1, 2] });
    await directory.bringUpToDate();
    expect(directory.endpoint('org', endpointId(2))?.endpoint.number).toBe(2);
  });

  it('does not let a load that read before a change overwrite what was read after it', async () => {
    const { state, directory } = setUp();
    await directory.bringUpToDate();
    let letGo = (): void => undefined;
    state.beforeViewIsAnswered = () => new Promise((resolve) => (letGo = resolve));
    const loading = directory.load(['org']);
    await new Promise(setImmediate);
    state.beforeViewIsAnswered = () => Promise.resolve();
    Object.assign(state, { revision: 2n, changed: ['org'], endpoints: [1, 2] });
    const barrier = directory.bringUpToDate();
    letGo();
    await Promise.all([loading, barrier]);
    expect(directory.endpoint('org', endpointId(2))).toBeDefined();
  });

  it('gives a caller a barrier that began after its call, and shares it among callers', async () => {
    const { state, directory } = setUp();
    await directory.load(['org']);
    const first = directory.bringUpToDate();
    Object.assign(state, { revision: 2n, changed: ['org'], endpoints: [1, 2] });
    const [second, third] = [directory.bringUpToDate(), directory.bringUpToDate()];
    expect(second).toBe(third);
    await Promise.all([first, second]);
    expect(directory.endpoint('org', endpointId(2))).toBeDefined();
  });

  it('asks for a view once, tells of changes, and knows when an organisation is no more', async () => {
    const { state, directory } = setUp();
    const changed: string[] = [];
    directory.onChange((id) => changed.push(id));
    await directory.bringUpToDate();
    await Promise.all([directory.load(['org']), directory.load(['org'])]);
    await directory.load(['org']);
    expect(state.views).toBe(1);
    Object.assign(state, { revision: 2n, changed: ['org', 'never loaded'], exists: false });
    await directory.bringUpToDate();
    expect(directory.organisation('org')).toBeNull();
    expect(changed).toEqual(['org']);
  });

  it('says that config is away, and keeps the view that it has', async () => {
    const { state, directory } = setUp();
    await directory.load(['org']);
    state.away = true;
    await expect(directory.bringUpToDate()).rejects.toMatchObject({ code: 'unavailable' });
    expect(directory.organisation('org')).not.toBeNull();
  });

  it('has an organisation whose view cannot be had wait alone, and keeps what is known of it', async () => {
    const { state, directory } = setUp();
    await directory.load(['sick', 'well']);
    const changed: string[] = [];
    directory.onChange((id) => changed.push(id));
    state.revision = 2n;
    state.changed = ['sick', 'well'];
    state.endpoints = [1, 2];
    state.sick = 'sick';
    await directory.bringUpToDate();
    expect(directory.organisation('well')?.endpoints.size).toBe(2);
    expect(directory.organisation('sick')?.endpoints.size).toBe(1);
    await expect(directory.load(['sick'])).rejects.toThrow();
    await directory.load(['well']);
    state.sick = '';
    await directory.load(['sick']);
    expect(directory.organisation('sick')?.endpoints.size).toBe(2);
    expect(changed).toEqual(['well', 'sick']);
  });

  it('loads the others where the view of one cannot be had, and says why', async () => {
    const { state, directory } = setUp();
    state.sick = 'sick';
    const unavailable = await directory.loadAvailable(['sick', 'well', 'sick']);
    expect([...unavailable.keys()]).toEqual(['sick']);
    expect(directory.isLoaded('well')).toBe(true);
    expect(directory.isLoaded('sick')).toBe(false);
    state.sick = '';
    expect((await directory.loadAvailable(['sick', 'well'])).size).toBe(0);
    expect(directory.isLoaded('sick')).toBe(true);
  });
});
