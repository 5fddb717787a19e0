/**
 * Calls over gRPC. A connection is made when it is first needed, kept alive, and made again when it breaks; while there is
 * none, calls fail at once with `unavailable`. Several addresses behind one name are used in turn.
 */
import {
  Client as GrpcClient,
  Metadata,
  credentials,
  status as Code,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import type { DomainError } from '@posthorn/models';
import { systemClock } from '@posthorn/runtime';
import type { CallOptions } from '../calls/call-context.ts';
import { failureOfCall } from '../security/caller-refusal.ts';
import type { Client } from '../calls/client.ts';
import { callCancelled, defaultDeadlineMs } from '../calls/deadlines.ts';
import type { MethodDefinition, ServiceDefinition } from '../calls/define-service.ts';
import { errorFromStatus } from './error-codec.ts';
import { encodePrincipal, principalKey } from '../calls/principal.ts';
import { encodeSource, sourceKey } from '../calls/request-source.ts';
import { CallerStream } from '../calls/stream.ts';
import type { ChannelSecurity } from '../security/transport-security.ts';

/** The largest message that either side takes, unless it is told otherwise. */
export const defaultMaxMessageBytes = 16 * 1024 * 1024;

export interface NetworkClientOptions {
  /** The largest message that is sent or taken; 16 MiB by default. */
  readonly maxMessageBytes?: number;
  /** How connections are made and who calls is proven; plain text when absent. */
  readonly security?: ChannelSecurity;
  /** Sent with every call, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** While there is no connection: waits for one until the deadline, in place of failing at once. */
  readonly waitForReady?: boolean;
}

/**
 * Opens a client of one service at `address`: `host:port`, or any name that gRPC resolves, such as
 * `dns:///config-headless:50051` or `ipv4:10.0.0.1:50051,10.0.0.2:50051`. Clients of one address share its connections.
 */
export function createNetworkClient<D extends ServiceDefinition>(
  definition: D,
  address: string,
  options: NetworkClientOptions = {},
): Client<D> & { close(): void } {
  const maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const security = options.security ?? plainText;
  const channel = new GrpcClient(address, security.credentials, {
    ...security.channelOptions,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.service_config_disable_resolution': 1,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  const base = new Metadata({ waitForReady: options.waitForReady ?? false });
  for (const [name, value] of Object.entries(options.headers ?? {})) base.set(name, value);
  const metadataOf: MetadataOf = (call) => {
    const metadata = base.clone();
    for (const [name, value] of Object.entries(security.headers())) metadata.set(name, value);
    addCall(metadata, call);
    return metadata;
  };
  const methods = Object.entries(definition).map(([name, method]) => [
    name,
    method.requestStream ? openStream(channel, method, metadataOf) : callUnary(channel, method, metadataOf),
  ]);
  return { ...(Object.fromEntries(methods) as Client<D>), close: () => channel.close() };
}

const plainText: ChannelSecurity = {
  credentials: credentials.createInsecure(),
  channelOptions: {},
  headers: () => ({}),
};

type MetadataOf = (call: CallOptions) => Metadata;

function addCall(metadata: Metadata, call: CallOptions): void {
  metadata.set(principalKey, encodePrincipal(call.principal));
  metadata.set('x-request-id', printable(call.requestId ?? randomUUID()));
  if (call.source !== undefined) metadata.set(sourceKey, encodeSource(call.source));
  if (call.traceparent !== undefined) metadata.set('traceparent', printable(call.traceparent));
}

/** What metadata can carry: gRPC throws at anything else. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** gRPC counts by the machine's own clock. */
function deadlineOf(deadlineMs: number): { deadline: number } {
  return { deadline: deadlineMs === Infinity ? Infinity : systemClock.now() + deadlineMs };
}

function callUnary(channel: GrpcClient, method: MethodDefinition, metadataOf: MetadataOf) {
  return (request: unknown, call: CallOptions): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { signal } = call;
      if (signal?.aborted) {
        reject(callCancelled(signal.reason));
        return;
      }
      const settle = (error: ServiceError | null, response?: unknown): void => {
        signal?.removeEventListener('abort', hangUp);
        if (error === null) resolve(response);
        else if (error.code === Code.CANCELLED && signal?.aborted) reject(callCancelled(signal.reason));
        else reject(failureOfCall(errorFromStatus(error)));
      };
      const grpcCall = channel.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadataOf(call),
        deadlineOf(call.deadlineMs ?? defaultDeadlineMs),
        settle,
      );
      const hangUp = (): void => grpcCall.cancel();
      signal?.addEventListener('abort', hangUp);
    });
}

function openStream(channel: GrpcClient, method: MethodDefinition, metadataOf: MetadataOf) {
  return (call: CallOptions): CallerStream => {
    const caller = new CallerStream(call.signal);
    const stream: ClientDuplexStream<unknown, unknown> = channel.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadataOf(call),
      deadlineOf(call.deadlineMs ?? Infinity),
    );
    // What failed is told at the very end, after the messages that came before it.
    let error: DomainError | null = null;
    stream.on('error', (failure: ServiceError) => (error = failureOfCall(errorFromStatus(failure))));
    stream.on('end', () => caller.close(error));
    stream.on('data', (message: unknown) => caller.receive(message));
    stream.on('drain', () => caller.drained());
    stream.pause();
    return caller.connect({
      write: (message) => stream.write(message),
      end: () => stream.end(),
      cancel: () => stream.cancel(),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
    });
  };
}
