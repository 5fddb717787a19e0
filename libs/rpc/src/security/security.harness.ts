/** Certificates, tokens, and servers and clients that use them, for tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ingestV1 } from '@posthorn/contracts';
import { servicePrincipal, type Principal } from '@posthorn/models';
import { createMetrics, silentLogger, systemClock, type Clock } from '@posthorn/runtime';
import type { IssueOptions, TestAuthority } from '@posthorn/testing';
import type { CertificatePaths } from './certificate-files.ts';
import { createNetworkClient } from '../network/network-client.ts';
import type { ServerHarness } from '../network/server.harness.ts';
import type { RpcServerOptions } from '../network/server.ts';
import { createServiceAuthentication } from './service-authentication.ts';
import type { ServiceName } from '../service-name.ts';
import { ingestService, type IngestClient } from '../transport.harness.ts';
import {
  openTransportSecurity,
  type TransportSecurity,
  type TransportSecuritySettings,
} from './transport-security.ts';

/** A directory with one service's three files, as something that renews them would keep it. */
export interface CertificateDirectory {
  readonly paths: CertificatePaths;
  /** Writes a new certificate and key; trusts the authorities, by default the issuer alone. */
  issue(authority: TestAuthority, options: IssueOptions, trusted?: readonly TestAuthority[]): void;
}

export interface SecurityHarness {
  directory(): CertificateDirectory;
  /** The files of a service with a certificate of that authority for its name, or for others. */
  certificates(
    authority: TestAuthority,
    service: string,
    options?: Partial<IssueOptions>,
  ): TransportSecuritySettings;
  open(service: ServiceName, settings: TransportSecuritySettings, clock?: Clock): TransportSecurity;
  /** Starts event-ingest, which the gateway may call; whom it heard is noted, and the certificates that it was shown. */
  serve(
    settings: TransportSecuritySettings,
    overrides?: Partial<RpcServerOptions> & { readonly clock?: Clock },
  ): Promise<{ port: number; principals: Principal[]; shown: Set<string> }>;
  connect(
    port: number,
    service: ServiceName,
    settings: TransportSecuritySettings,
    clock?: Clock,
  ): Promise<IngestClient>;
}

export const gatewayPrincipal = servicePrincipal('gateway');

/** Adds security to a server harness; what it opens is released with it. */
export function useSecurity({ serve, defer }: Pick<ServerHarness, 'serve' | 'defer'>): SecurityHarness {
  const harness: SecurityHarness = {
    directory() {
      const folder = mkdtempSync(join(tmpdir(), 'posthorn-certificates-'));
      defer(() => rmSync(folder, { recursive: true }));
      const paths = {
        certFile: join(folder, 'tls.crt'),
        keyFile: join(folder, 'tls.key'),
        caFile: join(folder, 'ca.crt'),
      };
      return {
        paths,
        issue(authority, options, trusted = [authority]) {
          const { cert, key } = authority.issue(options);
          writeFileSync(paths.certFile, cert);
          writeFileSync(paths.keyFile, key);
          writeFileSync(paths.caFile, trusted.map((one) => one.cert).join(''));
        },
      };
    },
    certificates(authority, service, options = {}) {
      const { paths, issue } = harness.directory();
      issue(authority, { names: [service], ...options });
      return { kind: 'tls', ...paths };
    },
    open(service, settings, clock = systemClock) {
      const security = openTransportSecurity({
        service,
        settings,
        clock,
        logger: silentLogger,
        metrics: createMetrics(),
      });
      defer(() => security.close());
      return security;
    },
    async serve(settings, overrides = {}) {
      const clock = overrides.clock ?? systemClock;
      const principals: Principal[] = [];
      const shown = new Set<string>();
      const security = harness.open('event-ingest', settings, clock);
      const authenticate = createServiceAuthentication({
        security,
        callers: ['gateway'],
        clock,
        logger: silentLogger,
      });
      const { port } = await serve({
        services: [
          ingestService({
            publish(_request, { principal }) {
              principals.push(principal);
              return Promise.resolve({ accepted: undefined });
            },
            publishStream(call) {
              principals.push(call.ctx.principal);
              call.onMessage(({ sequence }) => void call.send({ sequence, result: undefined }));
              call.onEnd(() => call.end());
            },
          }),
        ],
        authenticate(origin) {
          const certificate = origin.certificate();
          if (certificate !== undefined) shown.add(certificate.toString('base64'));
          return authenticate(origin);
        },
        security,
        ...overrides,
      });
      return { port, principals, shown };
    },
    async connect(port, service, settings, clock) {
      const security = await harness.open(service, settings, clock).channelTo('event-ingest');
      const client = createNetworkClient(ingestV1.IngestServiceService, `127.0.0.1:${port}`, { security });
      defer(() => client.close());
      return client;
    },
  };
  return harness;
}

/** 32 bytes that are the same for the same number. */
export function tokenKey(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}
