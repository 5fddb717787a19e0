/**
 * An OIDC issuer on loopback: discovery, keys, and tokens that it signs, with nothing of the library that verifies them. It
 * can change its keys, be away, and count how often it was asked.
 */
import { createHmac, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A key pair of the issuer. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: 'RS256' | 'ES256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** See the head of this file. */
export interface TestIssuer {
  /** What tokens name as `iss`. */
  readonly issuer: string;
  /** The keys that are published; the first one signs. */
  keys: IssuerKey[];
  /** Answers everything with 503 while true. */
  isAway: boolean;
  /** Requests so far, by path. */
  readonly asked: ReadonlyMap<string, number>;
  /** A token with these claims, over `iss` and an `exp` in five minutes; signed by the first key unless told otherwise. */
  token(claims: Readonly<Record<string, unknown>>, options?: TokenOptions): string;
  stop(): Promise<void>;
}

export interface TokenOptions {
  readonly key?: IssuerKey;
  /** Over what the key says. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs with this secret by HMAC in place of the key. */
  readonly secret?: string | Buffer;
  /** Leaves the signature out. */
  readonly isUnsigned?: boolean;
}

export interface TestIssuerOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const validSeconds = 300;

/** Makes a key pair that no other test has. */
export function createIssuerKey(kid: string, alg: IssuerKey['alg'] = 'ES256'): IssuerKey {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, alg, ...pair };
}

/** Starts an issuer; stop it when the test is done. */
export async function startTestIssuer({ now }: TestIssuerOptions): Promise<TestIssuer> {
  const asked = new Map<string, number>();
  const server = createServer((req, res) => {
    const path = req.url ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    const body = issuer.isAway ? undefined : documents[path]?.();
    res.writeHead(body === undefined ? 503 : 200, {
      'Content-Type': 'application/json',
      Connection: 'close',
    });
    res.end(JSON.stringify(body ?? {}));
  });
  const port = await listen(server);
  const name = `http://127.0.0.1:${port}/realms/test`;
  const issuer: TestIssuer = {
    issuer: name,
    keys: [createIssuerKey('first')],
    isAway: false,
    asked,
    token(claims, { key = firstOf(issuer.keys), ...options } = {}) {
      const header = { alg: key.alg, kid: key.kid, typ: 'JWT', ...options.header };
      const payload = { iss: name, exp: Math.floor(now() / 1_000) + validSeconds, ...claims };
      const signed = `${encode(header)}.${encode(payload)}`;
      return `${signed}.${signatureOf(signed, key, options)}`;
    },
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  };
  const documents: Readonly<Record<string, () => object>> = {
    '/realms/test/.well-known/openid-configuration': () => ({ issuer: name, jwks_uri: `${name}/keys` }),
    '/realms/test/keys': () => ({ keys: issuer.keys.map(publicJwk) }),
  };
  return issuer;
}

function firstOf(keys: readonly IssuerKey[]): IssuerKey {
  const [key] = keys;
  if (key === undefined) throw new Error('The issuer has no key to sign with.');
  return key;
}

function publicJwk({ kid, alg, publicKey }: IssuerKey): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function signatureOf(signed: string, key: IssuerKey, { secret, isUnsigned }: TokenOptions): string {
  if (isUnsigned === true) return '';
  if (secret !== undefined) return createHmac('sha256', secret).update(signed).digest('base64url');
  const bytes = Buffer.from(signed);
  return sign('sha256', bytes, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
