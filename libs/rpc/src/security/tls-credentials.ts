/** The files of a certificate as grpc-js takes them: both ends of every new connection use what was read last. */
import { X509Certificate } from 'node:crypto';
import { experimental, type ChannelCredentials, type ServerCredentials } from '@grpc/grpc-js';
import type { CertificateFiles, TlsMaterial } from './certificate-files.ts';
import { serviceNames, type ServiceName } from '../service-name.ts';

/** What a server and the clients of a service connect with. */
export interface TlsCredentials {
  /** Asks callers for a certificate and lets those without one in: health checks, and producers with an API key. */
  readonly server: ServerCredentials;
  readonly channel: ChannelCredentials;
}

/** Makes credentials that follow the files. */
export function createTlsCredentials(files: CertificateFiles): TlsCredentials {
  const provider = createProvider(files);
  return {
    server: experimental.createCertificateProviderServerCredentials(provider, provider, false),
    channel: experimental.createCertificateProviderChannelCredentials(provider, provider),
  };
}

function createProvider(files: CertificateFiles): experimental.CertificateProvider {
  const authorities = createListeners(files, ({ ca }) => ({ caCertificate: ca }));
  const identities = createListeners(files, ({ cert, key }) => ({ certificate: cert, privateKey: key }));
  return {
    addCaCertificateListener: authorities.add,
    removeCaCertificateListener: authorities.remove,
    addIdentityCertificateListener: identities.add,
    removeIdentityCertificateListener: identities.remove,
  };
}

/** Listeners of one part of the files: each is told what it is when it is added, and then of each change. */
function createListeners<T>(files: CertificateFiles, part: (material: TlsMaterial) => T) {
  const removals = new Map<(update: T) => void, () => void>();
  return {
    add(listener: (update: T) => void): void {
      removals.set(
        listener,
        files.onChange((material) => listener(part(material))),
      );
      // Not within the call: who adds a listener isn't ready for its answer yet.
      queueMicrotask(() => {
        if (removals.has(listener)) listener(part(files.current));
      });
    },
    remove(listener: (update: T) => void): void {
      removals.get(listener)?.();
      removals.delete(listener);
    },
  };
}

/**
 * The services that a certificate, in DER, is for: their names are DNS names among its subject alternative names, written
 * out. The certificate's chain has been verified when it comes here.
 */
export function servicesOfCertificate(certificate: Buffer): readonly ServiceName[] {
  const parsed = new X509Certificate(certificate);
  return serviceNames.filter((name) => parsed.checkHost(name, { subject: 'never', wildcards: false }));
}
