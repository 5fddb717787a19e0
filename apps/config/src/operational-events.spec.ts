import { configV1 } from '@posthorn/contracts';
import type { OperationalEvent } from '@posthorn/models';
import { createHarness, service, tenant, type Harness } from './config.harness.ts';
import { createEndpointNotices } from './endpoints/endpoint-notices.ts';
import { sampleEndpoint } from './stores/sample-resources.harness.ts';
import { openTemporaryStores } from './stores/temporary-stores.harness.ts';

const { ENDPOINT_STATE_DISABLED, ENDPOINT_STATE_ENABLED, ENDPOINT_STATE_PAUSED } = configV1.EndpointState;

describe('what becomes of an endpoint', () => {
  let harness: Harness;
  let close: () => Promise<void>;
  let told: OperationalEvent[];
  let organisationId: string;
  let id: string;

  beforeEach(async () => {
    told = [];
    const temporary = await openTemporaryStores();
    close = temporary.close;
    harness = createHarness(temporary.stores, { publishOperational: (event) => told.push(event) });
    organisationId = await harness.organisation('acme');
  });
  afterEach(async () => {
    await harness.config.stop();
    await close();
  });

  const as = () => ({ principal: tenant(organisationId) });
  const listen = (...values: string[]) => harness.endpoint(organisationId, { eventTypes: { values } });
  const setState = (state: configV1.EndpointState, reason = '', principal = as().principal) =>
    harness.endpoints.setEndpointState(
      { organisationId, idOrUid: id, state, reason, expectedVersion: undefined },
      { principal },
    );
  const update = (over: Partial<configV1.Endpoint>, updateMask: string[]) =>
    harness.endpoints.updateEndpoint(
      {
        organisationId,
        idOrUid: id,
        endpoint: { ...configV1.Endpoint.fromPartial({}), ...over },
        updateMask,
        expectedVersion: undefined,
      },
      as(),
    );
  /** What was told since the last call, of this endpoint. */
  const news = async (): Promise<readonly OperationalEvent[]> => {
    for (let seen = -1; seen !== told.length; await new Promise(setImmediate)) seen = told.length;
    return told.splice(0).filter(({ data }) => JSON.stringify(data).includes(id));
  };
  const typesOf = (events: readonly OperationalEvent[]) => events.map(({ type }) => type);

  describe('where somebody listens', () => {
    beforeEach(async () => {
      await listen('posthorn.*');
      ({ id } = (await harness.endpoint(organisationId, { uid: 'mine' })).endpoint);
    });

    it('is told when it is created, updated, disabled and deleted', async () => {
      expect(await news()).toMatchObject([
        {
          organisationId,
          type: 'posthorn.endpoint.created',
          data: { endpoint: { id, uid: 'mine', state: 'enabled', version: 1 }, by: 'owner' },
        },
      ]);
      await update({ name: 'new' }, ['name']);
      expect(await news()).toMatchObject([
        { type: 'posthorn.endpoint.updated', data: { endpoint: { name: 'new', version: 2 }, by: 'owner' } },
      ]);
      await setState(ENDPOINT_STATE_DISABLED);
      const disabled = { endpoint: { state: 'disabled', stateReason: 'manual', version: 3 }, by: 'owner' };
      expect(await news()).toMatchObject([
        { type: 'posthorn.endpoint.updated', data: disabled },
        { type: 'posthorn.endpoint.disabled', data: disabled },
      ]);
      await harness.endpoints.deleteEndpoint(
        { organisationId, idOrUid: id, expectedVersion: undefined },
        as(),
      );
      expect(await news()).toMatchObject([
        { type: 'posthorn.endpoint.deleted', data: { endpoint: { id, state: 'disabled' }, by: 'owner' } },
      ]);
    });

    it('is told when Posthorn disables it, with the reason, and that is no update', async () => {
      await news();
      await setState(ENDPOINT_STATE_DISABLED, 'gone', service);
      expect(await news()).toMatchObject([
        {
          type: 'posthorn.endpoint.disabled',
          data: { endpoint: { state: 'disabled', stateReason: 'gone', version: 1 }, by: 'posthorn' },
        },
      ]);
    });

    it('is told once, whoever says it again', async () => {
      await news();
      await Promise.all([1, 2, 3].map(() => setState(ENDPOINT_STATE_DISABLED, 'gone', service)));
      expect(typesOf(await news())).toEqual(['posthorn.endpoint.disabled']);
    });

    it('is told with another id each time that it happens', async () => {
      const ids: string[] = [];
      for (const state of [ENDPOINT_STATE_DISABLED, ENDPOINT_STATE_ENABLED, ENDPOINT_STATE_DISABLED]) {
        await setState(state);
        ids.push(...(await news()).map((event) => event.id));
      }
      expect(new Set(ids).size).toBe(ids.length);
      // Created, three updates, twice disabled.
      expect(ids).toHaveLength(6);
    });

    it('is told when its secret is rotated, and not when nothing was written', async () => {
      await news();
      await update({}, []);
      await setState(ENDPOINT_STATE_ENABLED);
      expect(await news()).toEqual([]);
      await harness.endpoints.rotateSecret(
        { organisationId, idOrUid: id, secret: undefined, overlapMs: undefined },
        as(),
      );
      expect(typesOf(await news())).toEqual(['posthorn.endpoint.updated']);
    });
  });

  it('is not told where nobody listens for it', async () => {
    await listen('posthorn.endpoint.deleted', 'order.*');
    await harness.endpoint(await harness.organisation('other'), { eventTypes: { values: ['posthorn.*'] } });
    told.splice(0);
    ({ id } = (await harness.endpoint(organisationId)).endpoint);
    await setState(ENDPOINT_STATE_PAUSED);
    expect(await news()).toEqual([]);
    await harness.endpoints.deleteEndpoint({ organisationId, idOrUid: id, expectedVersion: undefined }, as());
    expect(typesOf(await news())).toEqual(['posthorn.endpoint.deleted']);
  });

  it('is told when it cannot be known whether somebody listens', async () => {
    const notices = createEndpointNotices({
      endpoints: { namesAny: () => Promise.reject(new Error('away')) },
      publish: (event) => told.push(event),
    });
    const { endpoint, sealed } = sampleEndpoint(1);
    notices.created({ endpoint: { ...endpoint, number: 1 }, sealed, writes: 1 }, service);
    await notices.drain();
    expect(typesOf(told)).toEqual(['posthorn.endpoint.created']);
  });
});
