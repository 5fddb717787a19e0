import { join } from 'node:path';
import {
  configMigrations,
  createConfigService,
  createSqliteConfigStores,
  type KeyFile,
} from '@posthorn/config';
import type { configV1, ingestV1 } from '@posthorn/contracts';
import {
  createDispatcher,
  createSqliteDeadRecordStore,
  createSqliteDeliverySearch,
  createSqliteDeliveryStore,
  createSqliteEventStore,
  createSqliteJobStore,
  createSqliteReplayStore,
  createSqliteLeaseStore,
  createSqliteTaskStore,
  createSqliteTroubleStore,
  createWebhookClient,
  createSqliteErasureStore,
  dispatcherMigrations,
  erasureMigrations,
  createSqliteFeedStore,
  feedMigrations,
  jobMigrations,
  taskMigrations,
  troubleMigrations,
} from '@posthorn/dispatcher';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import {
  createIngestService,
  createNetworkListener,
  createSqliteReservationStore,
  createSqliteUsageStore,
  reservationMigrations,
  usageMigrations,
} from '@posthorn/event-ingest';
import { createGateway, standardDialects, type DialectsConfig } from '@posthorn/gateway';
import {
  createAllowList,
  servicePrincipal,
  type Branding,
  type OperationalEvent,
  type UsageLimits,
} from '@posthorn/models';
import {
  createInProcessClient,
  createOperationalPublisher,
  createRemoteAuditLog,
  openTokenAuthentication,
  type Client,
  type ServiceDefinition,
  type ServiceRegistration,
} from '@posthorn/rpc';
import {
  createTargetResolver,
  systemClock,
  systemRandom,
  type Logger,
  type Metrics,
  type OidcSettings,
} from '@posthorn/runtime';
import { openSqlite } from '@posthorn/sqlite';

/**
 * The whole platform in one process on one SQLite file: the four services as they are, meeting in the same contracts as on
 * a cluster, through clients that call their handlers directly.
 */
export interface Platform {
  /** Where the REST API is reached, as in `http://127.0.0.1:8080`. */
  readonly address: string;
  /** The port on which events are taken over gRPC; null when that is off. */
  readonly grpcPort: number | null;
  /** An operator key that was made on this, the very first, start; to be shown once. */
  readonly newOperatorKey: string | null;
  /** Finishes what is under way, records the rest and closes; bounded by `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface PlatformOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Takes events over gRPC too, 0 for any free port; off when null or absent. */
  readonly grpcPort?: number | null;
  readonly dataDir: string;
  readonly operatorKey: string | null;
  /** 32 bytes each: the first seals what is secret, all open it. */
  readonly encryptionKeys: readonly Uint8Array[];
  /** Where they are kept, if they are the platform's own to rotate. */
  readonly encryptionKeyFile?: KeyFile | undefined;
  /** CIDRs that deliveries may reach although they aren't public. */
  readonly allowTargets: readonly string[];
  readonly publicUrl: string | null;
  /** What messages for people are signed with where an organisation has no branding of its own. */
  readonly branding?: Branding;
  readonly requireHttps: boolean;
  /** A native endpoint that has failed for so long is disabled; never when 0 or absent. */
  readonly disableAfterMs?: number;
  /** The system's when empty. */
  readonly dnsServers: readonly string[];
  /** A forward proxy that every delivery goes through; none when null or absent. */
  readonly egressProxy?: URL | null;
  readonly maxEventBytes: number;
  /** What organisations may use that have no limits of their own. */
  readonly limits?: UsageLimits;
  /** Other APIs that are served beside the native one; all of them when absent. */
  readonly dialects?: DialectsConfig;
  /** Ranges of the proxies whose `X-Forwarded-For` is believed; none when absent. */
  readonly trustedProxies?: readonly string[];
  /** How long the audit log is kept; a year when absent. */
  readonly auditDays?: number;
  /** Whose OIDC tokens are taken beside API keys; nobody's when null or absent. */
  readonly oidc?: OidcSettings | null;
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Until this long before the end of the grace, attempts under way may finish; the rest is for recording and closing. */
const closingShareMs = 2000;
/** How long calls over gRPC have to end once their streams are closed. */
const grpcGraceMs = 500;
/** How long the log may take for what is still to be told at the end. */
const tellGraceMs = 500;
/** The platform on its own behalf. */
const principal = servicePrincipal('standalone');

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { logger, metrics, version } = options;
  const clock = systemClock;
  const random = systemRandom;
  const database = openSqlite({
    path: join(options.dataDir, 'posthorn.db'),
    migrations: [
      configMigrations,
      eventLogMigrations,
      reservationMigrations,
      dispatcherMigrations,
      taskMigrations,
      troubleMigrations,
      jobMigrations,
      feedMigrations,
      erasureMigrations,
      usageMigrations,
    ],
    onFailure: (error) => logger.error({ err: error }, 'the database cannot be written'),
  });
  const log = createSqliteEventLog(database);
  const allow = createAllowList(options.allowTargets);
  const urlPolicy = { requireHttps: options.requireHttps, allow };
  const resolver = createTargetResolver({ allow, clock, dnsServers: options.dnsServers });

  function client<D extends ServiceDefinition>(registration: ServiceRegistration<D>): Client<D> {
    return createInProcessClient(registration, { logger, metrics, clock });
  }

  /** Only called once everything below is there. */
  const publishOperational = (event: OperationalEvent): void => operational.publish(event);
  const config = createConfigService({
    stores: createSqliteConfigStores(database),
    encryptionKeys: options.encryptionKeys,
    encryptionKeyFile: options.encryptionKeyFile,
    urlPolicy,
    targetResolver: resolver,
    publishOperational,
    standardEndpoints: options.limits?.endpoints ?? null,
    ...(options.auditDays !== undefined && { auditDays: options.auditDays }),
    clock,
    random,
    logger,
  });
  const directory: Client<typeof configV1.DirectoryServiceService> = client(config.directory);
  const ingest = createIngestService({
    log,
    reservations: createSqliteReservationStore(database),
    usage: createSqliteUsageStore(database),
    directory,
    clock,
    random,
    logger,
    metrics,
    // Asking costs nothing here: an event type that was just changed counts for the very next publish.
    limits: {
      maxPayloadBytes: options.maxEventBytes,
      maxViewAgeMs: 0,
      ...(options.limits !== undefined && { publishing: options.limits }),
    },
  });
  const ingestClient: Client<typeof ingestV1.IngestServiceService> = client(ingest.registration);
  const operational = createOperationalPublisher({
    ingest: ingestClient,
    principal,
    clock,
    logger,
    metrics,
  });
  const listener =
    typeof options.grpcPort === 'number'
      ? createNetworkListener({
          ingest,
          keys: client(config.keys),
          tokens: openTokenAuthentication({
            settings: options.oidc,
            organisations: client(config.organisations),
            principal,
            clock,
            logger,
          }),
          host: options.host,
          port: options.grpcPort,
          reflection: true,
          clock,
          logger,
          metrics,
        })
      : null;
  /** Known once the gateway listens. */
  let listeningAddress = '';
  const dispatcher = createDispatcher({
    log,
    events: createSqliteEventStore(database),
    deliveries: createSqliteDeliveryStore(database),
    search: createSqliteDeliverySearch(database),
    tasks: createSqliteTaskStore(database),
    troubles: createSqliteTroubleStore(database),
    jobs: createSqliteJobStore(database),
    replays: createSqliteReplayStore(database),
    feeds: createSqliteFeedStore(database),
    erasures: createSqliteErasureStore(database),
    leases: createSqliteLeaseStore(database),
    deadRecords: createSqliteDeadRecordStore(database),
    recordTestEvent: (event) => log.appendUnread(event),
    clients: { directory, endpoints: client(config.endpoints) },
    auditLog: createRemoteAuditLog(client(config.audit), principal),
    publishOperational,
    disableAfterMs: options.disableAfterMs ?? 0,
    webhookClient: createWebhookClient({
      resolver,
      clock,
      egressProxy: options.egressProxy ?? null,
      userAgent: `Posthorn/${version}`,
    }),
    publicUrl: () => options.publicUrl ?? listeningAddress,
    ...(options.branding !== undefined && { branding: options.branding }),
    clock,
    random,
    logger,
    metrics,
  });
  const gateway = createGateway({
    clients: {
      organisations: client(config.organisations),
      keys: client(config.keys),
      eventTypes: client(config.eventTypes),
      endpoints: client(config.endpoints),
      policies: client(config.policies),
      audit: client(config.audit),
      idempotency: client(config.idempotency),
      encryption: client(config.encryption),
      ingest: ingestClient,
      events: client(dispatcher.events),
      deliveries: client(dispatcher.deliveries),
      activity: client(dispatcher.activity),
      tasks: client(dispatcher.tasks),
      replays: client(dispatcher.replays),
      erasures: client(dispatcher.erasures),
    },
    config: {
      host: options.host,
      port: options.port,
      publicUrl: options.publicUrl,
      maxEventBytes: options.maxEventBytes,
      urlPolicy,
      dialects: options.dialects ?? standardDialects,
      oidc: options.oidc ?? null,
      trustedProxies: options.trustedProxies ?? [],
      version,
    },
    clock,
    random,
    logger,
    metrics,
  });

  const stop = async (graceMs: number): Promise<void> => {
    const startedAt = clock.monotonic();
    listener?.setServing(false);
    // A client that dribbles its request may not use up the time that attempts under way need.
    await gateway.stop(graceMs / 2);
    await Promise.all([ingest.stop(), listener?.stop(grpcGraceMs)]);
    const leftMs = Math.max(0, graceMs - closingShareMs - (clock.monotonic() - startedAt));
    await dispatcher.stop(AbortSignal.timeout(Math.ceil(leftMs)));
    await config.stop();
    await operational.stop(tellGraceMs);
    await database.close();
  };

  try {
    await config.start();
    await dispatcher.start();
    ingest.start();
    const grpcPort = listener === null ? null : await listener.start();
    const address = await gateway.start();
    listeningAddress = address;
    // Made last: a key that was made by a start that failed would never be seen.
    const { token } = await config.ensureOperatorKey(
      options.operatorKey === null ? {} : { configured: options.operatorKey },
    );
    listener?.setServing(true);
    return { address, grpcPort, newOperatorKey: token ?? null, stop };
  } catch (error) {
    await stop(0);
    throw error;
  }
}
