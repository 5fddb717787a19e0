import { stopServers } from './running-servers.ts';

/** Stops what `start-stack.ts` started. */
export default stopServers;
