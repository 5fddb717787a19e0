import { join } from 'node:path';
import { workspaceRoot } from '../workspace.ts';

/** The services that are processes, and so images, of their own. */
export const SERVICES = ['gateway', 'event-ingest', 'dispatcher', 'config'] as const;

export type ServiceName = (typeof SERVICES)[number];

/** Where `npm run bundle` puts what the service's image holds. */
export function imageFolder(service: ServiceName): string {
  return join(workspaceRoot, 'dist/images', service);
}
