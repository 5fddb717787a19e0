/** The services that call each other; what else is on the network is no caller. */
export const serviceNames = ['gateway', 'event-ingest', 'dispatcher', 'config'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** The service of that name, if there is one. */
export function serviceNamed(name: unknown): ServiceName | undefined {
  return serviceNames.find((known) => known === name);
}
