/** Servers and clients for tests, released after each of them. */
import { Client as GrpcClient, Metadata, credentials, type ServiceError } from '@grpc/grpc-js';
import { ingestV1 } from '@posthorn/contracts';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import type { MethodDefinition } from '../calls/define-service.ts';
import { createNetworkClient, type NetworkClientOptions } from './network-client.ts';
import { encodePrincipal, principalFromMetadata, principalKey } from '../calls/principal.ts';
import { createRpcServer, type RpcServer, type RpcServerOptions } from './server.ts';
import { ingestService, principal, type IngestClient } from '../transport.harness.ts';

/** What a test may start. */
export interface ServerHarness {
  /** Starts a server; its service accepts every publish unless other options say so. */
  serve(overrides?: Partial<RpcServerOptions>): Promise<{ server: RpcServer; port: number }>;
  connect(port: number, clientOptions?: NetworkClientOptions): IngestClient;
  /** A client without any of our wrappers. */
  connectBare(port: number): GrpcClient;
  /** Registers what to release after the test. */
  defer(release: () => unknown): void;
}

/** To be called within a `describe`, or at the top of a file. */
export function useServers(): ServerHarness {
  let releases: (() => unknown)[] = [];
  const defer = (release: () => unknown): void => void releases.push(release);
  afterEach(async () => {
    for (const release of releases.reverse()) await release();
    releases = [];
  });

  return {
    defer,
    async serve(overrides = {}) {
      const server = createRpcServer({
        services: [ingestService({ publish: () => Promise.resolve({ accepted: undefined }) })],
        authenticate: principalFromMetadata,
        host: '127.0.0.1',
        port: 0,
        logger: silentLogger,
        metrics: createMetrics(),
        ...overrides,
      });
      const port = await server.start();
      defer(() => server.stop(0));
      return { server, port };
    },
    connect(port, clientOptions) {
      const client = createNetworkClient(ingestV1.IngestServiceService, `127.0.0.1:${port}`, clientOptions);
      defer(() => client.close());
      return client;
    },
    connectBare(port) {
      const client = new GrpcClient(`127.0.0.1:${port}`, credentials.createInsecure());
      defer(() => client.close());
      return client;
    },
  };
}

/** A unary call by nothing but grpc-js. */
export function callBare<Response>(
  client: GrpcClient,
  method: Omit<MethodDefinition, 'responseDeserialize'> & { responseDeserialize(bytes: Buffer): Response },
  message: unknown,
  metadata = new Metadata(),
): Promise<Response> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      message,
      metadata,
      { deadline: Date.now() + 5_000 },
      (error, response) => {
        if (response === undefined) reject(error ?? new Error('neither an answer nor an error'));
        else resolve(response);
      },
    );
  });
}

/** What grpc-js itself says of a call that fails. */
export async function statusOf(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => Promise.reject(new Error('The call succeeded.')),
    (error: unknown) => error as ServiceError,
  );
}

/** Metadata as one of our services sends it. */
export function withPrincipal(): Metadata {
  const metadata = new Metadata();
  metadata.set(principalKey, encodePrincipal(principal));
  return metadata;
}
