/** The gateway, wired top to bottom: what it is made of, and how it starts and stops. */
import { Router } from 'express';
import type { Clock, Logger, Metrics, Random } from '@posthorn/runtime';
import { createApp } from './app.ts';
import { createAuthenticate } from './authenticate.ts';
import type { GatewayClients } from './clients.ts';
import type { GatewayConfig } from './config.ts';
import { createHttpServer } from './http-server.ts';
import { createIdempotency } from './native/idempotency.ts';
import { createNativeRouter } from './native/native-router.ts';
import { createRoutes } from './native/routes.ts';
import { createOrganisationLookup } from './organisation-lookup.ts';
import { createRequestMetrics } from './request-metrics.ts';

export interface GatewayDeps {
  readonly clients: GatewayClients;
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** See `createGateway`. */
export interface Gateway {
  /** Listens; resolves to the address that it can be reached at, as in `http://127.0.0.1:8080`. */
  start(): Promise<string>;
  /** Finishes what was begun, at most for `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Makes the REST API over the services that `clients` reach. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { clients, config, clock, logger } = deps;
  const native = Router({ caseSensitive: true, strict: true });
  native.use(
    createNativeRouter(createRoutes(deps), {
      authenticate: createAuthenticate(clients.keys, clock),
      organisations: createOrganisationLookup(clients.organisations, clock),
      carryOutOnce: createIdempotency(clients.idempotency, logger),
      observe: createRequestMetrics(deps.metrics),
      logger,
      clock,
    }),
  );
  const server = createHttpServer({
    handler: createApp({ native, random: deps.random, logger, clock }),
    host: config.host,
    port: config.port,
    clock,
  });
  return {
    start: async () => `http://${hostInUrl(config.host)}:${await server.start()}`,
    stop: (graceMs) => server.stop(graceMs),
  };
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
