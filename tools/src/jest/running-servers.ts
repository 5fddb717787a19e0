import type { TestServer } from '@posthorn/stack';

/** What the setup started and the teardown stops; both run in jest's own process. */
export const runningServers: TestServer[] = [];

export async function stopServers(): Promise<void> {
  await Promise.all(runningServers.splice(0).map((server) => server.stop()));
}
