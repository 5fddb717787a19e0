/** Generates the contracts' TypeScript aside and compares it with what is committed, byte for byte. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import { workspaceRoot } from '../workspace.ts';

const COMMITTED = 'libs/contracts/src/gen';
const aside = mkdtempSync(join(tmpdir(), 'posthorn-proto-'));

try {
  runCommand('buf', ['generate', '--output', aside]);
  const expected = filesOf(join(aside, COMMITTED));
  const committed = filesOf(join(workspaceRoot, COMMITTED));
  const stale = [...new Set([...expected.keys(), ...committed.keys()])].filter(
    (path) => expected.get(path) !== committed.get(path),
  );
  for (const path of stale) console.error(`${COMMITTED}/${path} isn't what proto/ says; run: npm run proto`);
  console.log(`${expected.size} generated files, ${stale.length} out of date`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} finally {
  rmSync(aside, { recursive: true });
}

function filesOf(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path, 'utf8')];
    }),
  );
}
