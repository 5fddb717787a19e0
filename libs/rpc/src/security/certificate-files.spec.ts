import { appendFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createLogger, createMetrics } from '@posthorn/runtime';
import { createTestAuthority, eventually, FakeClock } from '@posthorn/testing';
import { openCertificateFiles, type CertificateFiles } from './certificate-files.ts';
import { useSecurity, type CertificateDirectory } from './security.harness.ts';
import { useServers } from '../network/server.harness.ts';

const servers = useServers();
const { directory } = useSecurity(servers);
const authority = createTestAuthority();
const names = ['gateway'];

describe('certificate files', () => {
  let clock: FakeClock;
  let files: CertificateDirectory;
  let log: string[];
  const metrics = createMetrics();

  beforeEach(() => {
    clock = new FakeClock(Date.now());
    log = [];
    files = directory();
    files.issue(authority, { names });
  });

  function open(): CertificateFiles {
    const logger = createLogger({ service: 'test', destination: { write: (line) => log.push(line) } });
    const opened = openCertificateFiles({ paths: files.paths, clock, logger, metrics });
    servers.defer(() => opened.close());
    return opened;
  }

  /** Lets the files be read again, and waits until that is done. */
  async function readAgain(): Promise<void> {
    clock.advance(10_000);
    await eventually(() => clock.pendingTimers === 1);
  }

  it('tell of what was renewed, and nothing of what stayed', async () => {
    const opened = open();
    const before = opened.current.cert;
    let changes = 0;
    const stop = opened.onChange(() => (changes += 1));

    await readAgain();
    expect(changes).toBe(0);
    files.issue(authority, { names });
    await readAgain();
    expect(changes).toBe(1);
    expect(opened.current.cert.equals(before)).toBe(false);
    stop();
    files.issue(authority, { names });
    await readAgain();
    expect(changes).toBe(1);
    opened.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each<[string, (paths: CertificateDirectory['paths']) => void]>([
    ['half of it is written', ({ certFile }) => truncateSync(certFile, 100)],
    [
      'the key is still the old one',
      ({ certFile }) => writeFileSync(certFile, authority.issue({ names }).cert),
    ],
    ['a file is gone', ({ keyFile }) => rmSync(keyFile)],
    ['the authority is empty', ({ caFile }) => truncateSync(caFile, 0)],
  ])('stay as they were while %s, and are renewed once all fits', async (_what, damage) => {
    const opened = open();
    const before = opened.current;
    damage(files.paths);

    await readAgain();
    expect(opened.current).toBe(before);
    expect(log.join()).toContain('those read before stay in use');

    files.issue(authority, { names });
    await readAgain();
    expect(opened.current).not.toBe(before);
  });

  it('are followed through links, as Kubernetes mounts them', async () => {
    const opened = open();
    const before = opened.current.cert;
    const renewed = directory();
    renewed.issue(authority, { names });
    for (const name of ['certFile', 'keyFile', 'caFile'] as const) {
      rmSync(files.paths[name]);
      symlinkSync(renewed.paths[name], files.paths[name]);
    }

    await readAgain();

    expect(opened.current.cert.equals(before)).toBe(false);
  });

  it.each<[string, (paths: CertificateDirectory['paths']) => void, RegExp]>([
    ['is missing', ({ caFile }) => rmSync(caFile), /ca\.crt can't be read \(ENOENT\)/],
    [
      'holds something else',
      ({ certFile }) => writeFileSync(certFile, 'hello'),
      /tls\.crt holds no certificate/,
    ],
    [
      'is another key',
      ({ keyFile }) => writeFileSync(keyFile, authority.issue({ names }).key),
      /isn't the key of/,
    ],
  ])('refuse to open when a file %s, and name it', (_what, damage, message) => {
    damage(files.paths);
    expect(open).toThrow(message);
  });

  it('tell when they end, in the log once it is too late', async () => {
    files.issue(authority, { names, validTo: new Date(clock.now() + 15_000) });
    open();
    expect(await metrics.render()).toMatch(/posthorn_grpc_certificate_expiry_timestamp_seconds \d+/);
    expect(log).toEqual([]);

    await readAgain();
    await readAgain();

    expect(log.join()).toContain('the certificate has expired');
  });

  it('may have a chain and several authorities', () => {
    appendFileSync(files.paths.certFile, authority.cert);
    appendFileSync(files.paths.caFile, createTestAuthority().cert);
    expect(() => open()).not.toThrow();
  });
});
