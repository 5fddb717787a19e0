import { delimiter, join } from 'node:path';

/** The root of the repository. */
export const workspaceRoot = join(import.meta.dirname, '../..');

/** The environment for the programs that tools start: those of `node_modules/.bin` come first, as under `npm run`. */
export const programEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${join(workspaceRoot, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
};
