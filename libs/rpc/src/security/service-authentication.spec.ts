import type { Principal } from '@posthorn/models';
import { createLogger, silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import { encodePrincipal, principalKey } from '../calls/principal.ts';
import { createServiceAuthentication, type ServiceAuthenticationOptions } from './service-authentication.ts';
import type { ProvenNames } from './transport-security.ts';

const tenant: Principal = { kind: 'key', id: 'k1', organisationId: 'o1', scopes: ['events:write'] };
const operator: Principal = { kind: 'key', id: 'k2', organisationId: null, scopes: ['*'] };
const as = (id: string): Principal => ({ kind: 'service', id, organisationId: null, scopes: ['*'] });

interface Caller {
  readonly proven?: ProvenNames | Error;
  readonly states?: Principal;
  readonly authorization?: string;
}

function authenticate(
  caller: Caller,
  options: Partial<ServiceAuthenticationOptions> = {},
): Promise<Principal> {
  const { proven = [] } = caller;
  const check = createServiceAuthentication({
    security: {
      isProven: true,
      callerOf: () => (proven instanceof Error ? Promise.reject(proven) : proven),
    },
    callers: ['gateway', 'dispatcher'],
    clock: new FakeClock(),
    logger: silentLogger,
    ...options,
  });
  const metadata: Readonly<Record<string, string | undefined>> = {
    [principalKey]: caller.states && encodePrincipal(caller.states),
    authorization: caller.authorization,
  };
  return Promise.resolve().then(() => check({ get: (name) => metadata[name], certificate: () => undefined }));
}

describe('the authentication of services', () => {
  it.each([tenant, operator, as('gateway')])('lets a service that may call speak for %j', async (states) => {
    expect(await authenticate({ proven: ['gateway'], states })).toEqual(states);
  });

  it.each<[string, Caller, string]>([
    ['proves nothing, whatever it states', { states: operator }, 'unauthenticated'],
    ['may not call', { proven: ['config'], states: tenant }, 'permission_denied'],
    ['speaks as another service', { proven: ['gateway'], states: as('dispatcher') }, 'permission_denied'],
    ['speaks for nobody', { proven: ['gateway'] }, 'unauthenticated'],
    ['brings a proof that is not valid', { proven: new Error('expired'), states: tenant }, 'unauthenticated'],
  ])('refuses a caller that %s', async (_what, caller, code) => {
    await expect(authenticate(caller)).rejects.toMatchObject({ code });
  });

  it('takes a certificate that names several services for each of them', async () => {
    const proven = ['config', 'dispatcher'] as const;
    expect(await authenticate({ proven, states: as('config') })).toEqual(as('config'));
    await expect(authenticate({ proven, states: as('gateway') })).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  it('asks the other way in for callers that prove no service, and never believes what those state', async () => {
    const otherwise = () => Promise.resolve(tenant);
    expect(await authenticate({ states: operator }, { otherwise })).toEqual(tenant);
    expect(await authenticate({ proven: ['gateway'], states: operator }, { otherwise })).toEqual(operator);
  });

  it('does without proof only when it is told to, and holds callers with a key to it even then', async () => {
    const security = { isProven: false, callerOf: (): ProvenNames => [] };
    expect(await authenticate({ states: operator }, { security })).toEqual(operator);
    const otherwise = () => Promise.resolve(tenant);
    const withKey = { states: operator, authorization: 'Bearer phk_1' };
    expect(await authenticate(withKey, { security, otherwise })).toEqual(tenant);
    expect(await authenticate({ states: operator }, { security, otherwise })).toEqual(operator);
  });

  it('says in the log that calls are refused, but not each time', async () => {
    const log: string[] = [];
    const clock = new FakeClock();
    const check = createServiceAuthentication({
      security: { isProven: true, callerOf: () => [] },
      callers: ['gateway'],
      clock,
      logger: createLogger({ service: 'test', destination: { write: (line) => log.push(line) } }),
    });
    const refuse = () =>
      expect(() => check({ get: () => undefined, certificate: () => undefined })).toThrow();

    refuse();
    refuse();
    expect(log).toHaveLength(1);
    clock.advance(10_000);
    refuse();
    expect(log).toHaveLength(2);
  });
});
