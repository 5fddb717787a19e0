/** The gateway, wired top to bottom: what it is made of, and how it starts and stops. */
import type { Request } from 'express';
import { createAllowList } from '@posthorn/models';
import { createAuthenticate, openTokenAuthentication } from '@posthorn/rpc';
import type { Clock, Logger, Metrics, Random } from '@posthorn/runtime';
import { createApp } from './app.ts';
import { ClientSource } from './client-address.ts';
import type { GatewayClients } from './clients.ts';
import type { GatewayConfig } from './config.ts';
import { gatewayPrincipal } from './gateway-principal.ts';
import { createDialects, dialectOwner } from './dialects/dialects.ts';
import { dialectSection } from './dialects/openapi.ts';
import { createHttpServer } from './http-server.ts';
import { createDocsRouter } from './native/reference/docs-page.ts';
import { callbackRoutes } from './native/callbacks.ts';
import { createIdempotency } from './native/routing/idempotency.ts';
import { jwksRoute } from './native/jwks.ts';
import { createNativeRouter } from './native/routing/native-router.ts';
import { createOpenRouter } from './native/routing/open-route.ts';
import { createPublisher } from './native/publishing/publish-stream.ts';
import { referenceRoute } from './native/reference/reference.ts';
import { createRoutes } from './native/routes.ts';
import { createOrganisationLookup } from './organisation-lookup.ts';
import { probeRoutes } from './probes.ts';
import { createRequestMetrics } from './request-metrics.ts';

export interface GatewayDeps {
  readonly clients: GatewayClients;
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Reasons of others in the same process why requests shouldn't be sent here now; shown by `/readyz`. */
  readonly notReady?: () => readonly string[];
}

/** See `createGateway`. */
export interface Gateway {
  /** Listens; resolves to the address that it can be reached at, as in `http://127.0.0.1:8080`. */
  start(): Promise<string>;
  /** Finishes what was begun, at most for `graceMs`; not ready from the first moment on. */
  stop(graceMs: number): Promise<void>;
}

/** Makes the REST API over the services that `clients` reach. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { clients, config, clock, logger, metrics } = deps;
  let address: string | null = null;
  let isStopping = false;

  const publisher = createPublisher({
    ingest: clients.ingest,
    principal: gatewayPrincipal,
    streams: config.publishStreams ?? 1,
    clock,
    logger,
    metrics,
  });
  const organisations = createOrganisationLookup(clients.organisations, clock);
  const routes = createRoutes({ ...deps, publisher, onOrganisationsChanged: organisations.forget });
  const notReady = (): readonly string[] => [
    ...(isStopping ? ['stopping'] : []),
    ...(deps.notReady?.() ?? []),
  ];
  const probes = config.hasAdminPort === true ? [] : probeRoutes(metrics, notReady);
  const open = [...callbackRoutes(clients), jwksRoute(clients), ...probes];
  const publicUrl = (): string => config.publicUrl ?? address ?? '';
  const dialects = createDialects({ ...deps, organisations });
  const reference = referenceRoute({
    routes,
    openRoutes: open,
    sections: dialects.map(dialectSection),
    version: config.version,
    serverUrl: () => publicUrl() || '/',
  });
  const trustedProxies = createAllowList(config.trustedProxies ?? []);
  const serving = {
    authenticate: createAuthenticate({
      keys: clients.keys,
      principal: gatewayPrincipal,
      tokens: openTokenAuthentication({
        settings: config.oidc,
        organisations: clients.organisations,
        principal: gatewayPrincipal,
        clock,
        logger,
      }),
      clock,
    }),
    organisations,
    observe: createRequestMetrics(metrics),
    sourceOf: (req: Request) => new ClientSource(req, trustedProxies),
    logger,
    clock,
  };
  const native = createNativeRouter(routes, {
    ...serving,
    carryOutOnce: createIdempotency(clients.idempotency, logger),
  });
  native.use(createOpenRouter([...open, reference], clock));
  native.use(createDocsRouter(clock));
  const server = createHttpServer({
    handler: createApp({
      native,
      others: dialects.map((dialect) => dialectOwner(dialect, { ...serving, publicUrl })),
      random: deps.random,
      logger,
      clock,
    }),
    host: config.host,
    port: config.port,
    clock,
  });

  return {
    start: async () => {
      const port = await server.start();
      address = `http://${hostInUrl(config.host)}:${port}`;
      return address;
    },
    stop: async (graceMs) => {
      isStopping = true;
      await server.stop(graceMs);
      publisher.stop();
    },
  };
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
