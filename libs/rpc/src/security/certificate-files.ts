/**
 * A certificate, its key and the authority, from files that somebody else renews. The files are read again every ten seconds;
 * what is whole and fits together takes effect for new connections, and what isn't (a renewal that is half written) changes
 * nothing. They are read rather than watched: Kubernetes replaces a mounted secret by turning a link.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DomainError } from '@posthorn/models';
import type { Clock, Logger, Metrics, Timer } from '@posthorn/runtime';

/** Where the three files are, each in PEM. */
export interface CertificatePaths {
  /** The certificate, with those between it and the authority behind it. */
  readonly certFile: string;
  readonly keyFile: string;
  /** The authorities that others' certificates must come from. */
  readonly caFile: string;
}

/** The three files at one moment: they fit together. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
  readonly validTo: Date;
}

/** See `openCertificateFiles`. */
export interface CertificateFiles {
  readonly current: TlsMaterial;
  /** Calls back with what was renewed; the function that is returned stops that. */
  onChange(listener: (material: TlsMaterial) => void): () => void;
  /** Reads no more. */
  close(): void;
}

export interface CertificateFilesOptions {
  readonly paths: CertificatePaths;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const readAgainMs = 10_000;

/** Reads the files and keeps them up to date. Throws `failed_precondition`, naming the file, when they can't be used. */
export function openCertificateFiles(options: CertificateFilesOptions): CertificateFiles {
  const { paths, clock, logger, metrics } = options;
  const { certFile, keyFile, caFile } = paths;
  const listeners = new Set<(material: TlsMaterial) => void>();
  let current = parseMaterial({ cert: readNow(certFile), key: readNow(keyFile), ca: readNow(caFile) }, paths);
  let timer: Timer | undefined;
  let closed = false;
  warnIfExpired();
  metrics.gauge({
    name: 'posthorn_grpc_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of this service stops being valid, in seconds since the epoch.',
    collect: (gauge) => gauge.set(current.validTo.getTime() / 1000),
  });

  function warnIfExpired(): void {
    const fields = { certFile, validTo: current.validTo };
    if (current.validTo.getTime() <= clock.now()) logger.error(fields, 'the certificate has expired');
  }

  async function readAgain(): Promise<void> {
    try {
      const [cert, key, ca] = await Promise.all([readFile(certFile), readFile(keyFile), readFile(caFile)]);
      if (closed || (cert.equals(current.cert) && key.equals(current.key) && ca.equals(current.ca))) return;
      current = parseMaterial({ cert, key, ca }, paths);
      logger.info({ certFile, validTo: current.validTo }, 'certificate read again');
      for (const listener of listeners) listener(current);
    } catch (error) {
      logger.warn({ err: error }, 'the certificate files cannot be used; those read before stay in use');
    } finally {
      warnIfExpired();
      schedule();
    }
  }

  function schedule(): void {
    if (closed) return;
    timer = clock.setTimeout(() => void readAgain(), readAgainMs);
    timer.unref();
  }

  schedule();
  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closed = true;
      clock.clearTimeout(timer);
    },
  };
}

function readNow(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DomainError('failed_precondition', `${path} can't be read (${code}).`, { cause: error });
  }
}

function parseMaterial(
  { cert, key, ca }: Pick<TlsMaterial, 'cert' | 'key' | 'ca'>,
  { certFile, keyFile, caFile }: CertificatePaths,
): TlsMaterial {
  const certificate = parse(certFile, 'certificate', () => new X509Certificate(cert));
  const privateKey = parse(keyFile, 'private key', () => createPrivateKey(key));
  parse(caFile, 'certificate', () => new X509Certificate(ca));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new DomainError(
      'failed_precondition',
      `${keyFile} isn't the key of the certificate in ${certFile}.`,
    );
  }
  return { cert, key, ca, validTo: certificate.validToDate };
}

function parse<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new DomainError('failed_precondition', `${path} holds no ${what} in PEM.`, { cause: error });
  }
}
