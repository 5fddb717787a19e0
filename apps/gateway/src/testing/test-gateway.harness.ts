/** A gateway on a free port, over fake services, with a `fetch` that checks every answer against the document. */
import { createAllowList } from '@posthorn/models';
import {
  createMetrics,
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
} from '@posthorn/runtime';
import type { GatewayConfig } from '../config.ts';
import { dialectNames, nativeClaims, prefixesOf } from '../dialects/prefixes.ts';
import { standardDialects } from '../dialects/settings.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { createOwnerLookup } from '../owner.ts';
import {
  createDocumentedFetch,
  type DocumentedAnswer,
  type DocumentedFetch,
} from './documented-fetch.harness.ts';
import { fakeClients, tokens, type FakeHandlers } from './fake-services.harness.ts';

export interface TestGatewayOptions {
  readonly handlers?: FakeHandlers;
  readonly config?: Partial<GatewayConfig>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly notReady?: () => readonly string[];
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly address: string;
  readonly document: Record<string, unknown>;
  readonly fetch: DocumentedFetch;
  /** A request with a key (acme's, which may do all, unless another is named) and a JSON body. */
  call(method: string, path: string, options?: CallInit): Promise<DocumentedAnswer>;
}

export interface CallInit {
  readonly token?: string;
  readonly scheme?: 'Bearer' | 'Token' | 'Basic';
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const testConfig: GatewayConfig = {
  host: '127.0.0.1',
  port: 0,
  publicUrl: null,
  maxEventBytes: 256 * 1024,
  urlPolicy: { requireHttps: false, allow: createAllowList([]) },
  dialects: standardDialects,
  version: '0.0.0-test',
};

/** Starts a gateway; stop it when the test is done. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const config = { ...testConfig, ...options.config };
  const gateway = createGateway({
    clients: fakeClients(options.handlers),
    config,
    clock: options.clock ?? systemClock,
    random: systemRandom,
    logger: options.logger ?? silentLogger,
    metrics: createMetrics(),
    ...(options.notReady && { notReady: options.notReady }),
  });
  const address = await gateway.start();
  const document = (await (await fetch(`${address}/openapi.json`)).json()) as Record<string, unknown>;
  const ownerOf = createOwnerLookup([
    nativeClaims,
    ...dialectNames.map((name) => ({
      name,
      prefixes: prefixesOf(name, config.dialects[name]?.basePaths ?? []),
    })),
  ]);
  const documentedFetch = createDocumentedFetch({
    address,
    document,
    failureShapeOf: (path) => {
      const { name } = ownerOf(new URL(path, address).pathname);
      if (name === nativeClaims.name) return undefined;
      return { contentType: 'application/json', schema: `${name[0]?.toUpperCase()}${name.slice(1)}Error` };
    },
  });
  return {
    gateway,
    address,
    document,
    fetch: documentedFetch,
    call: (method, path, { token = tokens.acme, scheme = 'Bearer', body, headers = {} } = {}) =>
      documentedFetch(path, {
        method,
        headers: {
          Authorization: scheme === 'Basic' ? basicOf(token) : `${scheme} ${token}`,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  };
}

function basicOf(token: string): string {
  return `Basic ${Buffer.from(`${token}:x`).toString('base64')}`;
}
