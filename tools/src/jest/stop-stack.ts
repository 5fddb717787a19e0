import { runningServers } from './running-servers.ts';

/** Stops what `start-stack.ts` started. */
export default async function stopStack(): Promise<void> {
  await Promise.all(runningServers.map((server) => server.stop()));
}
