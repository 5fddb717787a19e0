import { spawnSync } from 'node:child_process';
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programEnvironment, workspaceRoot } from '../workspace.ts';
import { readMarkdown } from './markdown.ts';

/** The examples of docs/signatures.md, run as they stand there on requests that are signed here, by the specification's words. */

const { blocks } = readMarkdown(readFileSync(join(workspaceRoot, 'docs/signatures.md'), 'utf8'));

interface Request {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const id = '01a1fefb-e1eb-4378-9e8c-9c4b536cdca1';
const body = '{"type":"order.paid","data":{"total":12.50,"name":"Zoë"}}';
const stranger = `v1,${randomBytes(32).toString('base64')}`;

function request(scheme: 'v1' | 'v1a', ageSeconds = 0): Request {
  const timestamp = String(Math.floor(Date.now() / 1000) - ageSeconds);
  const message = Buffer.from(`${id}.${timestamp}.${body}`);
  const { secret, signature } = scheme === 'v1' ? signV1(message) : signV1a(message);
  return {
    secret,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      // As in a rotation: another secret's signature stands before the one that fits.
      'webhook-signature': `${stranger} ${signature}`,
    },
    body,
  };
}

function signV1(message: Buffer): { secret: string; signature: string } {
  const key = randomBytes(32);
  return {
    secret: `whsec_${key.toString('base64')}`,
    signature: `v1,${createHmac('sha256', key).update(message).digest('base64')}`,
  };
}

function signV1a(message: Buffer): { secret: string; signature: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    secret: `whpk_${Buffer.from(x, 'base64url').toString('base64')}`,
    signature: `v1a,${sign(null, message, privateKey).toString('base64')}`,
  };
}

interface Example {
  readonly heading: string;
  readonly scheme: 'v1' | 'v1a';
  readonly program: string;
  readonly args: readonly string[];
  readonly file: string;
  /** Makes the example a program that reads requests as a JSON array and prints a line for each, `valid` or `invalid`. */
  readonly wrap: (example: string) => string;
}

const examples: readonly Example[] = [
  {
    heading: 'Node.js',
    scheme: 'v1',
    program: 'node',
    args: ['example.mjs'],
    file: 'example.mjs',
    wrap: (example) => `${example}
import { readFileSync } from 'node:fs';
for (const { secret, headers, body } of JSON.parse(readFileSync(0, 'utf8'))) {
  try { verify(secret, headers, body); console.log('valid'); } catch { console.log('invalid'); }
}`,
  },
  {
    heading: 'Verify v1a',
    scheme: 'v1a',
    program: 'node',
    args: ['example.mjs'],
    file: 'example.mjs',
    wrap: (example) => `${example}
import { readFileSync } from 'node:fs';
for (const { secret, headers, body } of JSON.parse(readFileSync(0, 'utf8')))
  console.log(isValid(secret, headers, Buffer.from(body)) ? 'valid' : 'invalid');`,
  },
  {
    heading: 'Python',
    scheme: 'v1',
    program: 'python3',
    args: ['example.py'],
    file: 'example.py',
    wrap: (example) => `${example}
import json, sys
for one in json.load(sys.stdin):
    print("valid" if is_valid(one["secret"], one["headers"], one["body"].encode()) else "invalid")`,
  },
  {
    heading: 'Go',
    scheme: 'v1',
    program: 'go',
    args: ['run', 'example.go'],
    file: 'example.go',
    wrap: (example) => `${example
      .replace('package webhook', 'package main')
      .replace('import (', 'import (\n"encoding/json"\n"os"')}
func main() {
	var requests []struct { Secret, Body string; Headers map[string]string }
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil { panic(err) }
	for _, one := range requests {
		header := http.Header{}
		for name, value := range one.Headers { header.Set(name, value) }
		if IsValid(one.Secret, header, []byte(one.Body)) { fmt.Println("valid") } else { fmt.Println("invalid") }
	}
}`,
  },
];

const isInstalled = ({ program }: Example): boolean =>
  spawnSync(program, [program === 'go' ? 'version' : '--version'], { env: programEnvironment }).status === 0;

function codeUnder(heading: string): string {
  const block = blocks.find((one) => one.heading === heading);
  if (block === undefined) throw new Error(`docs/signatures.md has no example under "${heading}"`);
  return block.text;
}

describe('the examples of docs/signatures.md', () => {
  let folder: string;

  beforeEach(() => {
    // Within the workspace, so that node finds the packages that the examples import.
    folder = mkdtempSync(join(workspaceRoot, 'node_modules/.signature-example-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function run(program: string, args: readonly string[], input: string): string {
    const { stdout, stderr, status } = spawnSync(program, args, {
      cwd: folder,
      env: programEnvironment,
      input,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
    return stdout.trim();
  }

  it.each(examples.filter(isInstalled).map((example) => [example.heading, example] as const))(
    '%s: takes what was signed, and nothing that was changed, that is old, or that others signed',
    (heading, { scheme, program, args, file, wrap }) => {
      writeFileSync(join(folder, file), wrap(codeUnder(heading)));
      const good = request(scheme);
      const requests = {
        good,
        changed: { ...good, body: good.body.replace('12.50', '12.5') },
        byOthers: { ...good, secret: request(scheme).secret },
        old: request(scheme, 400),
        ahead: request(scheme, -400),
        timeless: { ...good, headers: { ...good.headers, 'webhook-timestamp': 'soon' } },
      };
      const verdicts = run(program, args, JSON.stringify(Object.values(requests))).split('\n');
      expect(Object.fromEntries(Object.keys(requests).map((name, index) => [name, verdicts[index]]))).toEqual(
        {
          good: 'valid',
          changed: 'invalid',
          byOthers: 'invalid',
          old: 'invalid',
          ahead: 'invalid',
          timeless: 'invalid',
        },
      );
    },
    120_000,
  );

  it('Shell: prints the signature that the request has', () => {
    const { secret, headers } = request('v1');
    writeFileSync(join(folder, 'body'), body);
    const timestamp = headers['webhook-timestamp'] ?? '';
    const assignments = `id='${id}' timestamp='${timestamp}' secret='${secret}'\n`;
    expect(`${stranger} ${run('sh', ['-c', assignments + codeUnder('Shell')], '')}`).toBe(
      headers['webhook-signature'],
    );
  });
});
