import { configV1 } from '@posthorn/contracts';
import { DomainError, type Principal } from '@posthorn/models';
import { operator, service, tenant, useHarness } from './config.harness.ts';
import { sampleId } from './stores/sample-resources.harness.ts';

/** Calls one method for something of an organisation: an endpoint's id or uid, an event type's name, a key's id. */
type Call = (organisationId: string, name: string, principal: Principal) => Promise<unknown>;
/** One for every method of a service: a new one doesn't compile until it is here. */
type Calls<Definition> = { readonly [Method in keyof Definition]: Call };

const { ENDPOINT_STATE_PAUSED } = configV1.EndpointState;

describe("another tenant's things", () => {
  const harness = useHarness();
  let mine: string;
  let theirs: string;

  /** For services only. */
  type Apart = 'completeVerification' | 'confirmVerification';
  const endpointCalls: Calls<Omit<typeof configV1.EndpointServiceService, Apart>> = {
    createEndpoint: (organisationId, uid, principal) => {
      const endpoint = configV1.Endpoint.fromPartial({ organisationId, url: 'https://a.example', name: uid });
      return harness().endpoints.createEndpoint(
        { endpoint, secret: undefined, given: undefined },
        { principal },
      );
    },
    getEndpoint: (organisationId, idOrUid, principal) =>
      harness().endpoints.getEndpoint({ organisationId, idOrUid }, { principal }),
    listEndpoints: (organisationId, _name, principal) =>
      harness().endpoints.listEndpoints({ organisationId, limit: 0, cursor: '', state: 0 }, { principal }),
    updateEndpoint: (organisationId, idOrUid, principal) => {
      const endpoint = configV1.Endpoint.fromPartial({ url: 'not even a URL' });
      const request = { organisationId, idOrUid, endpoint, updateMask: ['url'], expectedVersion: 99n };
      return harness().endpoints.updateEndpoint(request, { principal });
    },
    deleteEndpoint: (organisationId, idOrUid, principal) =>
      harness().endpoints.deleteEndpoint(
        { organisationId, idOrUid, expectedVersion: undefined },
        { principal },
      ),
    setEndpointState: (organisationId, idOrUid, principal) =>
      harness().endpoints.setEndpointState(
        { organisationId, idOrUid, state: ENDPOINT_STATE_PAUSED, reason: '', expectedVersion: 99n },
        { principal },
      ),
    listSecrets: (organisationId, idOrUid, principal) =>
      harness().endpoints.listSecrets({ organisationId, idOrUid }, { principal }),
    rotateSecret: (organisationId, idOrUid, principal) =>
      harness().endpoints.rotateSecret(
        { organisationId, idOrUid, overlapMs: -1n, secret: 'not even a secret' },
        { principal },
      ),
    startVerification: (organisationId, idOrUid, principal) =>
      harness().endpoints.startVerification({ organisationId, idOrUid }, { principal }),
    searchEndpoints: (organisationId, _name, principal) => {
      const request = configV1.SearchEndpointsRequest.fromPartial({ organisationIds: [organisationId] });
      return harness().endpoints.searchEndpoints(request, { principal });
    },
  };

  const policyCalls: Calls<Omit<typeof configV1.PolicyServiceService, 'getPublicKey'>> = {
    createPolicy: (organisationId, name, principal) => {
      const policy = configV1.Policy.fromPartial({ organisationId, algorithm: 2, audience: name });
      return harness().policies.createPolicy({ policy, key: undefined }, { principal });
    },
    getPolicy: (organisationId, idOrNumber, principal) =>
      harness().policies.getPolicy({ organisationId, idOrNumber }, { principal }),
    listPolicies: (organisationId, _name, principal) =>
      harness().policies.listPolicies({ organisationId, limit: 0, cursor: '' }, { principal }),
    updatePolicy: (organisationId, idOrNumber, principal) => {
      const policy = configV1.Policy.fromPartial({ disabled: true, expiresInMinutes: -1 });
      const request = { organisationId, idOrNumber, policy, updateMask: ['disabled', 'expires_in_minutes'] };
      return harness().policies.updatePolicy(request, { principal });
    },
  };

  const eventTypeCalls: Calls<typeof configV1.EventTypeServiceService> = {
    putEventType: (organisationId, name, principal) => {
      const eventType = configV1.EventType.fromPartial({ organisationId, name: `${name}.x`, retired: true });
      return harness().eventTypes.putEventType({ eventType }, { principal });
    },
    getEventType: (organisationId, name, principal) =>
      harness().eventTypes.getEventType({ organisationId, name }, { principal }),
    listEventTypes: (organisationId, _name, principal) =>
      harness().eventTypes.listEventTypes({ organisationId, limit: 0, cursor: '' }, { principal }),
    updateEventType: (organisationId, name, principal) => {
      const eventType = configV1.EventType.fromPartial({ organisationId, name, retired: true });
      return harness().eventTypes.updateEventType({ eventType, updateMask: ['retired'] }, { principal });
    },
    deleteEventType: (organisationId, name, principal) =>
      harness().eventTypes.deleteEventType({ organisationId, name }, { principal }),
  };

  const keyCalls: Calls<Omit<typeof configV1.KeyServiceService, 'authenticate'>> = {
    createKey: (organisationId, name, principal) => {
      const key = configV1.ApiKey.fromPartial({ organisationId, name, scopes: ['*'] });
      return harness().keys.createKey({ key, token: undefined }, { principal });
    },
    getKey: (organisationId, id, principal) => harness().keys.getKey({ organisationId, id }, { principal }),
    listKeys: (organisationId, _name, principal) =>
      harness().keys.listKeys({ organisationId, limit: 0, cursor: '' }, { principal }),
    updateKey: (organisationId, id, principal) => {
      const key = configV1.ApiKey.fromPartial({ scopes: ['events:write'] });
      return harness().keys.updateKey({ organisationId, id, key, updateMask: ['scopes'] }, { principal });
    },
    deleteKey: (organisationId, id, principal) =>
      harness().keys.deleteKey({ organisationId, id }, { principal }),
  };

  /** Names under which the other tenant has something: ids, an endpoint's uid, an event type, a policy's number. */
  let theirNames: readonly string[];

  beforeEach(async () => {
    [mine, theirs] = [await harness().organisation('mine'), await harness().organisation('theirs')];
    const as = { principal: operator };
    const wantedPolicy = configV1.Policy.fromPartial({ organisationId: theirs, algorithm: 2 });
    const { policy } = await harness().policies.createPolicy({ policy: wantedPolicy, key: undefined }, as);
    const { endpoint } = await harness().endpoint(theirs, {
      uid: 'their-uid',
      dialect: configV1.Dialect.DIALECT_XURRENT,
      policyId: policy?.id,
    });
    const eventType = configV1.EventType.fromPartial({ organisationId: theirs, name: 'their.type' });
    await harness().eventTypes.putEventType({ eventType }, as);
    const wanted = configV1.ApiKey.fromPartial({ organisationId: theirs, name: 'k', scopes: ['*'] });
    const { key } = await harness().keys.createKey({ key: wanted, token: undefined }, as);
    const ofPolicy = [policy?.id ?? '', String(policy?.number)];
    theirNames = [endpoint.id, 'their-uid', 'their.type', key?.id ?? '', ...ofPolicy];
  });

  /** All that a caller can see of an answer that isn't theirs. */
  async function outcome(call: Promise<unknown>): Promise<unknown> {
    try {
      await call;
      return 'it was answered';
    } catch (error) {
      const { code, message, violations, retryAfterMs } = DomainError.from(error);
      return { code, message, violations, retryAfterMs };
    }
  }

  async function everythingOfTheirs(): Promise<unknown> {
    const request = { organisationId: theirs, cursor: '', omitEndpoints: false };
    const view = await harness().directory.getOrganisationView(request, { principal: service });
    return [
      view,
      await harness().keys.listKeys(
        { organisationId: theirs, limit: 0, cursor: '' },
        { principal: operator },
      ),
    ];
  }

  const calls: [string, Call][] = Object.entries({
    ...endpointCalls,
    ...policyCalls,
    ...eventTypeCalls,
    ...keyCalls,
  });

  it.each(calls)('answer exactly like unknown ones to %s, and stay as they are', async (_method, call) => {
    const principal = tenant(mine);
    const before = await everythingOfTheirs();
    for (const name of theirNames) {
      const unknownName = name.includes('-4') ? sampleId(404) : /^\d+$/.test(name) ? '404' : 'unknown';
      const inTheirs = await outcome(call(theirs, name, principal));
      expect(inTheirs).toEqual(await outcome(call(sampleId(405), unknownName, principal)));
      expect(inTheirs).toMatchObject({ code: 'not_found' });
      expect(await outcome(call(mine, name, principal))).toEqual(
        await outcome(call(mine, unknownName, principal)),
      );
    }
    expect(await everythingOfTheirs()).toEqual(before);
  });
});
