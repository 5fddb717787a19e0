import { ingestV1 } from '@posthorn/contracts';
import { servicePrincipal } from '@posthorn/models';
import type { Clock, Logger, Metrics } from '@posthorn/runtime';
import { createOperationalPublisher, type OperationalPublisher } from './operational-publisher.ts';
import type { TransportSecurity } from './security/transport-security.ts';
import { openServiceClients } from './service-clients.ts';
import type { ServiceName } from './service-name.ts';

export interface OpenOperationalPublisherOptions {
  /** The service that tells. */
  readonly service: ServiceName;
  /** Where event-ingest is reached; see `createNetworkClient`. */
  readonly ingestAddress: string;
  readonly security: TransportSecurity;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The publisher of a service that is a process of its own: event-ingest is called over connections that end with it. */
export async function openOperationalPublisher(
  options: OpenOperationalPublisherOptions,
): Promise<OperationalPublisher> {
  const { service, ingestAddress, security, clock, logger, metrics } = options;
  const clients = await openServiceClients({ service: 'event-ingest', address: ingestAddress, security });
  const publisher = createOperationalPublisher({
    ingest: clients.of(ingestV1.IngestServiceService),
    principal: servicePrincipal(service),
    clock,
    logger,
    metrics,
  });
  return {
    publish: publisher.publish,
    async stop(graceMs) {
      await publisher.stop(graceMs);
      clients.close();
    },
  };
}
