import type { Client } from './calls/client.ts';
import type { ServiceDefinition } from './calls/define-service.ts';
import { createNetworkClient } from './network/network-client.ts';
import type { ServiceName } from './service-name.ts';
import type { TransportSecurity } from './security/transport-security.ts';

/** The clients of one other service; they share its connections. */
export interface ServiceClients {
  of<D extends ServiceDefinition>(definition: D): Client<D>;
  /** Ends the connections, and calls that are under way with them. */
  close(): void;
}

export interface ServiceClientsOptions {
  readonly service: ServiceName;
  /** Where it is reached; see `createNetworkClient`. */
  readonly address: string;
  readonly security: TransportSecurity;
}

/** Makes clients of a service; connections are made when they are first needed. */
export async function openServiceClients(options: ServiceClientsOptions): Promise<ServiceClients> {
  const security = await options.security.channelTo(options.service);
  const opened: { close(): void }[] = [];
  return {
    of(definition) {
      const client = createNetworkClient(definition, options.address, { security });
      opened.push(client);
      return client;
    },
    close() {
      for (const client of opened) client.close();
    },
  };
}
