import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLoadTools } from './load-tools.ts';
import { measure } from './measure.ts';
import { stopAll } from './processes.ts';
import { scenarios } from './scenarios.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-bench-'));
try {
  const tools = await startLoadTools(100, undefined);
  for (const scenario of scenarios.filter(({ name }) => name === process.argv[2])) {
    for (const server of ['bare', 'posthorn', 'bare', 'posthorn'] as const) {
      console.log(
        await measure({
          scenario,
          server,
          seconds: 4,
          warmUpSeconds: 2,
          tools,
          directory: join(directory, 'run'),
        }),
      );
    }
  }
} finally {
  await stopAll();
  rmSync(directory, { recursive: true, force: true });
}
