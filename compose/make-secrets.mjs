/** Makes the keys of a deployment that aren't there yet, readable by the services only: `node make-secrets.mjs FOLDER`. */
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const user = 65532;
const secrets = {
  'operator-key': () => randomBytes(24).toString('hex'),
  'encryption-key': () => randomBytes(32).toString('base64'),
  'service-token-key': () => randomBytes(32).toString('base64'),
};

for (const [name, make] of Object.entries(secrets)) {
  const path = join(folder, name);
  if (existsSync(path)) continue;
  writeFileSync(path, `${make()}\n`, { mode: 0o400, flag: 'wx' });
  if (process.getuid?.() === 0) chownSync(path, user, user);
  console.log(`made ${path}`);
}
if (process.getuid?.() === 0) chownSync(folder, user, user);
chmodSync(folder, 0o500);
