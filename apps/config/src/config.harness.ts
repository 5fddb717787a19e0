import { configV1 } from '@posthorn/contracts';
import {
  createAllowList,
  DomainError,
  servicePrincipal,
  type OperationalEvent,
  type Principal,
  type Scope,
} from '@posthorn/models';
import { createInProcessClient } from '@posthorn/rpc';
import { createMetrics, silentLogger, type TargetResolver } from '@posthorn/runtime';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import type { KeyFile } from './secrets/keyring.ts';
import type { ConfigLimits } from './organisations/limits.ts';
import { createConfigService } from './service.ts';
import type { ConfigStores } from './stores/stores.ts';
import { openTemporaryStores } from './stores/temporary-stores.harness.ts';

/** For tests: the whole service on a temporary file, reached through its RPC clients, on a clock that stands still. */

export const operator: Principal = { kind: 'key', id: 'operator-1', organisationId: null, scopes: ['*'] };
export const service = servicePrincipal('dispatcher');
export const testEncryptionKey = new Uint8Array(32).fill(7);

/** A principal of an organisation. */
export function tenant(organisationId: string, ...scopes: Scope[]): Principal {
  return {
    kind: 'key',
    id: `key-of-${organisationId}`,
    organisationId,
    scopes: scopes.length ? scopes : ['*'],
  };
}

/** The fields of the violations with which a call is refused, sorted. */
export async function violatedFields(call: Promise<unknown>): Promise<readonly string[]> {
  const error = await call.then(() => new Error('it was answered'), DomainError.from);
  if (!(error instanceof DomainError)) throw error;
  return error.violations.map(({ field }) => field).sort();
}

export interface HarnessOptions {
  readonly limits?: Partial<ConfigLimits>;
  readonly standardEndpoints?: number;
  readonly encryptionKeys?: readonly Uint8Array[];
  readonly encryptionKeyFile?: KeyFile;
  /** What names resolve to; a name that isn't here doesn't resolve. */
  readonly names?: Readonly<Record<string, 'public' | 'private'>>;
  readonly requireHttps?: boolean;
  readonly publishOperational?: (event: OperationalEvent) => void;
}

/** The service on given stores, with one client for each of its services. */
export function createHarness(stores: ConfigStores, options: HarnessOptions = {}) {
  const clock = new FakeClock();
  const random = createSeededRandom(11);
  const lookups: string[] = [];
  const targetResolver: Pick<TargetResolver, 'resolve'> = {
    resolve(hostname) {
      lookups.push(hostname);
      const kind = options.names?.[hostname];
      if (kind === 'public') return Promise.resolve({ ok: true, addresses: ['93.184.216.34'] });
      const message = `${hostname} was refused or has no address.`;
      return { ok: false, reason: kind === 'private' ? 'blocked' : 'dns', message };
    },
  };
  const config = createConfigService({
    stores,
    encryptionKeys: options.encryptionKeys ?? [testEncryptionKey],
    encryptionKeyFile: options.encryptionKeyFile,
    urlPolicy: { requireHttps: options.requireHttps ?? false, allow: createAllowList([]) },
    targetResolver,
    clock,
    random,
    logger: silentLogger,
    ...(options.limits && { limits: options.limits }),
    ...(options.standardEndpoints !== undefined && { standardEndpoints: options.standardEndpoints }),
    ...(options.publishOperational && { publishOperational: options.publishOperational }),
  });
  const clientOptions = { logger: silentLogger, metrics: createMetrics(), clock };
  const clients = {
    organisations: createInProcessClient(config.organisations, clientOptions),
    keys: createInProcessClient(config.keys, clientOptions),
    eventTypes: createInProcessClient(config.eventTypes, clientOptions),
    endpoints: createInProcessClient(config.endpoints, clientOptions),
    policies: createInProcessClient(config.policies, clientOptions),
    directory: createInProcessClient(config.directory, clientOptions),
    idempotency: createInProcessClient(config.idempotency, clientOptions),
    encryption: createInProcessClient(config.encryption, clientOptions),
    audit: createInProcessClient(config.audit, clientOptions),
  };

  return {
    ...clients,
    config,
    clock,
    lookups,

    /** Makes an organisation and gives its id. */
    async organisation(slug: string): Promise<string> {
      const { organisation } = await clients.organisations.createOrganisation(
        { organisation: configV1.Organisation.fromPartial({ slug }) },
        { principal: operator },
      );
      return organisation?.id ?? '';
    },

    /** Makes an endpoint and gives the whole answer. */
    async endpoint(organisationId: string, over: Partial<configV1.Endpoint> = {}) {
      const url = 'https://receiver.example/hook';
      const endpoint = configV1.Endpoint.fromPartial({ organisationId, url });
      const answer = await clients.endpoints.createEndpoint(
        { endpoint: { ...endpoint, ...over }, secret: undefined, given: undefined },
        { principal: tenant(organisationId) },
      );
      if (answer.endpoint === undefined) throw new Error('the answer shows no endpoint');
      return { endpoint: answer.endpoint, secrets: answer.secrets };
    },
  };
}

export type Harness = ReturnType<typeof createHarness>;

/** Opens and closes a harness around each test; the returned function gives the current one. */
export function useHarness(options: HarnessOptions = {}): () => Harness {
  let harness: Harness;
  let close: () => Promise<void>;

  beforeEach(async () => {
    const temporary = await openTemporaryStores();
    close = temporary.close;
    harness = createHarness(temporary.stores, options);
  });
  afterEach(async () => {
    await harness.config.stop();
    await close();
  });
  return () => harness;
}
