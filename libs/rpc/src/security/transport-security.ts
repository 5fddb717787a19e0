/**
 * How services know each other: by certificates of one authority in both directions, by signed tokens, or, if somebody has
 * said so in words, not at all. A service proves who it is with every call, and is believed when it says for whom it calls.
 */
import { ServerCredentials, credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import type { Clock, Logger, Metrics } from '@posthorn/runtime';
import { openCertificateFiles, type CertificatePaths } from './certificate-files.ts';
import type { CallOrigin } from '../calls/call-origin.ts';
import type { ServiceName } from '../service-name.ts';
import {
  createTokenSource,
  createTokenVerifier,
  serviceTokenKey,
  type TokenSource,
} from './service-token.ts';
import { createTlsCredentials, servicesOfCertificate } from './tls-credentials.ts';

/** One of three, never a mixture: what isn't set can't be forgotten. */
export type TransportSecuritySettings =
  | ({ readonly kind: 'tls' } & CertificatePaths)
  /** The first key signs, all verify; 32 bytes or more each. */
  | { readonly kind: 'tokens'; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'none' };

/** The services that a caller has proven to be: one, none, or several for a certificate that names several. */
export type ProvenNames = readonly ServiceName[];

/** What a client of another service connects with. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly channelOptions: ChannelOptions;
  /** What goes along with each call. */
  headers(): Readonly<Record<string, string>>;
}

/** See `openTransportSecurity`. */
export interface TransportSecurity {
  /** False when callers are believed without proof. */
  readonly isProven: boolean;
  readonly serverCredentials: ServerCredentials;
  /** Which service calls. Rejects when the proof isn't valid. */
  callerOf(origin: CallOrigin): ProvenNames | Promise<ProvenNames>;
  /** For calls to that service. */
  channelTo(service: ServiceName): Promise<ChannelSecurity>;
  /** Renews nothing any more. */
  close(): void;
}

export interface TransportSecurityOptions {
  /** Who we are. */
  readonly service: ServiceName;
  readonly settings: TransportSecuritySettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Throws `failed_precondition` when certificate files can't be used. */
export function openTransportSecurity(options: TransportSecurityOptions): TransportSecurity {
  const { settings } = options;
  switch (settings.kind) {
    case 'tls':
      return byCertificates(settings, options);
    case 'tokens':
      return byTokens(settings.keys, options);
    case 'none':
      return byNothing(options);
  }
}

function byCertificates(paths: CertificatePaths, options: TransportSecurityOptions): TransportSecurity {
  const files = openCertificateFiles({ ...options, paths });
  const tls = createTlsCredentials(files);
  return {
    isProven: true,
    serverCredentials: tls.server,
    callerOf({ certificate }) {
      const shown = certificate();
      return shown === undefined ? [] : servicesOfCertificate(shown);
    },
    channelTo: (service) =>
      Promise.resolve({
        credentials: tls.channel,
        // Who answers is known by its service's name, under whatever address it is reached.
        channelOptions: { 'grpc.ssl_target_name_override': service },
        headers: () => ({}),
      }),
    close: () => files.close(),
  };
}

function byTokens(
  keys: readonly Uint8Array[],
  { service, clock, logger }: TransportSecurityOptions,
): TransportSecurity {
  const [signingKey] = keys;
  if (signingKey === undefined) throw new RangeError('service tokens need a key');
  const verify = createTokenVerifier({ keys, audience: service, clock });
  const sources: TokenSource[] = [];
  return {
    isProven: true,
    serverCredentials: ServerCredentials.createInsecure(),
    callerOf({ get }) {
      const token = get(serviceTokenKey);
      if (token === undefined) return [];
      const issuer = verify(token);
      return issuer instanceof Promise ? issuer.then((name) => [name]) : [issuer];
    },
    async channelTo(audience) {
      const source = await createTokenSource({ key: signingKey, issuer: service, audience, clock, logger });
      sources.push(source);
      return {
        credentials: credentials.createInsecure(),
        channelOptions: {},
        headers: () => ({ [serviceTokenKey]: source.current }),
      };
    },
    close() {
      for (const source of sources) source.close();
    },
  };
}

function byNothing({ logger }: TransportSecurityOptions): TransportSecurity {
  logger.warn(
    'whoever reaches the gRPC port of this service may do everything: neither certificates nor service tokens are set',
  );
  return {
    isProven: false,
    serverCredentials: ServerCredentials.createInsecure(),
    callerOf: () => [],
    channelTo: () =>
      Promise.resolve({ credentials: credentials.createInsecure(), channelOptions: {}, headers: () => ({}) }),
    close: () => undefined,
  };
}
