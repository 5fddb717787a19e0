/**
 * The `posthorn` command. What Node makes of the sources is kept beside the dependencies, so that the next start is shorter;
 * where that can't be written, nothing is kept.
 */
import { enableCompileCache } from 'node:module';
import { resolve } from 'node:path';

enableCompileCache(resolve(import.meta.dirname, '../../../node_modules/.cache/posthorn'));
const { runCli } = await import('./cli.ts');
process.exitCode = await runCli(process.argv.slice(2));
