/**
 * Certificates for TLS receivers in tests, made on the spot, so that no key lies in the repository and no certificate expires:
 * an authority that nothing trusts by itself, and what it issues. As much of X.509 (RFC 5280) as TLS clients look at, in DER.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

export interface IssueOptions {
  /** Names and IPv4 addresses that it is for. */
  readonly names: readonly string[];
  /** From a day ago when absent. */
  readonly validFrom?: Date;
  /** Until a day from now when absent. */
  readonly validTo?: Date;
}

/** In PEM, as `tls.createServer` takes them. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface TestAuthority {
  /** Its own certificate in PEM, to be trusted. */
  readonly cert: string;
  issue(options: IssueOptions): IssuedCertificate;
}

const dayMs = 86_400_000;

/** A new authority with a key of its own. */
export function createTestAuthority(): TestAuthority {
  const authority = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  // A name of its own: whoever trusts several authorities finds the one that issued a certificate by its name.
  const issuerName = `Posthorn test authority ${randomBytes(4).toString('hex')}`;
  const isAuthority = extension(oids.basicConstraints, sequence(Buffer.from([0x01, 0x01, 0xff])));
  let serial = 1;

  const certify = (
    subject: string,
    publicKey: KeyObject,
    from: Date,
    to: Date,
    extensions: Buffer,
  ): string => {
    const toBeSigned = sequence(
      der(0xa0, Buffer.from([0x02, 0x01, 0x02])),
      der(0x02, Buffer.from([serial++])),
      ecdsaWithSha256,
      commonName(issuerName),
      sequence(time(from), time(to)),
      commonName(subject),
      publicKey.export({ format: 'der', type: 'spki' }),
      der(0xa3, sequence(extensions)),
    );
    const signature = sign('sha256', toBeSigned, authority.privateKey);
    return toPem(
      'CERTIFICATE',
      sequence(toBeSigned, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature)),
    );
  };

  const yesterday = new Date(Date.now() - dayMs);
  const tomorrow = new Date(Date.now() + dayMs);
  return {
    cert: certify(issuerName, authority.publicKey, yesterday, tomorrow, isAuthority),
    issue({ names, validFrom = yesterday, validTo = tomorrow }) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const alternatives = extension(oids.subjectAltName, sequence(...names.map(generalName)));
      return {
        cert: certify(names[0] ?? 'nobody', publicKey, validFrom, validTo, alternatives),
        key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      };
    },
  };
}

/** One value in DER: tag, length, content. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  const length =
    bytes.length < 0x80
      ? [bytes.length]
      : bytes.length < 0x100
        ? [0x81, bytes.length]
        : [0x82, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}

function sequence(...content: readonly Uint8Array[]): Buffer {
  return der(0x30, ...content);
}

const oids = {
  commonName: der(0x06, Buffer.from('550403', 'hex')),
  subjectAltName: der(0x06, Buffer.from('551d11', 'hex')),
  basicConstraints: der(0x06, Buffer.from('551d13', 'hex')),
} as const;

const ecdsaWithSha256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));

function commonName(text: string): Buffer {
  return sequence(der(0x31, sequence(oids.commonName, der(0x0c, Buffer.from(text)))));
}

function extension(oid: Buffer, value: Buffer): Buffer {
  return sequence(oid, der(0x04, value));
}

function generalName(name: string): Buffer {
  return isIP(name) === 4
    ? der(0x87, Buffer.from(name.split('.').map(Number)))
    : der(0x82, Buffer.from(name));
}

/** UTCTime: good from 1950 to 2049, which tests stay within. */
function time(date: Date): Buffer {
  return der(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/[-:T]|\..*/g, '')
        .slice(2)}Z`,
    ),
  );
}

function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
