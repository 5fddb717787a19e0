/**
 * The network end of services. Each call is authenticated, then run by the same wrappers as in process. Messages are taken
 * from and given to grpc-js as bytes: its own errors about what can't be decoded or encoded show their text to the caller.
 */
import {
  Server,
  ServerCredentials,
  logVerbosity,
  setLogVerbosity,
  type Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition as GrpcServiceDefinition,
  type UntypedServiceImplementation,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { grpcHealthV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { systemClock, type Clock, type Logger, type Metrics } from '@posthorn/runtime';
import { CallState } from '../calls/call-context.ts';
import type { CallOrigin } from '../calls/call-origin.ts';
import { createCallObserver, type CallObserver } from '../calls/call-observer.ts';
import { callCancelled, defaultDeadlineMs, handlerBudgetMs } from '../calls/deadlines.ts';
import type { MethodDefinition, RegisteredMethod, ServiceRegistration } from '../calls/define-service.ts';
import { statusFromError } from './error-codec.ts';
import { createHealth } from './health.ts';
import { defaultMaxMessageBytes } from './network-client.ts';
import type { GetMetadata } from '../calls/principal.ts';
import { createReflection } from './reflection.ts';
import { sourceFromMetadata } from '../calls/request-source.ts';
import type { AuthenticateCall } from '../security/service-authentication.ts';
import { ServerStream } from '../calls/stream.ts';
import type { TransportSecurity } from '../security/transport-security.ts';
import { runUnary } from '../calls/unary.ts';

export interface RpcServerOptions {
  readonly services: readonly ServiceRegistration[];
  readonly authenticate: AuthenticateCall;
  /** How connections are made; plain text when absent. */
  readonly security?: Pick<TransportSecurity, 'serverCredentials'>;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** Offers grpc.reflection.v1; calls of it are authenticated like any other. */
  readonly reflection?: boolean;
  /** The largest message that is taken or sent; 16 MiB by default. */
  readonly maxMessageBytes?: number;
  /**
   * Ends connections after this long, so that clients spread over new replicas and show their new certificates; never
   * when absent. Calls under way have as long again to end.
   */
  readonly maxConnectionAgeMs?: number;
}

/** See `createRpcServer`. */
export interface RpcServer {
  /** Listens; resolves with the port. Rejects when the address can't be bound. */
  start(): Promise<number>;
  /** What health checks answer; not serving until told so. */
  setServing(serving: boolean): void;
  /** Takes no new calls, waits for those under way at most `graceMs`, then ends them. */
  stop(graceMs: number): Promise<void>;
}

/** A client that is gone without a word is noticed after both of them. */
const keepaliveMs = 60_000;
const keepaliveTimeoutMs = 10_000;

/** Makes a server; it listens from `start` on. */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  const { logger, metrics, clock = systemClock } = options;
  // grpc-js writes plain text to standard error; what matters of it is in the errors.
  setLogVerbosity(logVerbosity.NONE);
  const observer = createCallObserver({ logger, metrics, clock });
  const maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    ...(options.maxConnectionAgeMs !== undefined && {
      'grpc.max_connection_age_ms': options.maxConnectionAgeMs,
      'grpc.max_connection_age_grace_ms': options.maxConnectionAgeMs,
    }),
  });

  const serviceNames = options.services.map((service) => service.name);
  const services = options.reflection
    ? [...options.services, createReflection([...serviceNames, healthName, reflectionName])]
    : options.services;
  for (const service of services) addService(server, service, options.authenticate, observer);
  const health = createHealth(serviceNames);
  server.addService(grpcHealthV1.HealthService, health.handlers);

  return {
    start: () =>
      new Promise((resolve, reject) => {
        const address = `${options.host.includes(':') ? `[${options.host}]` : options.host}:${options.port}`;
        const credentials = options.security?.serverCredentials ?? ServerCredentials.createInsecure();
        server.bindAsync(address, credentials, (error, port) => {
          if (error) reject(listenError(address, error));
          else resolve(port);
        });
      }),
    setServing: (serving) => health.setServing(serving),
    stop(graceMs) {
      health.setServing(false);
      health.endWatches();
      return new Promise((resolve) => {
        const timer = clock.setTimeout(() => server.forceShutdown(), graceMs);
        server.tryShutdown(() => {
          clock.clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

/** grpc-js puts the reason (`listen EADDRINUSE`) into its text, and nowhere else. */
function listenError(address: string, cause: Error): DomainError {
  const reason = cause.message.includes('EADDRINUSE') ? 'the port is taken' : 'the address cannot be used';
  const remedy = 'set POSTHORN_GRPC_PORT to another port (0: any free one)';
  return new DomainError(
    'failed_precondition',
    `Can't listen for gRPC on ${address}: ${reason}; ${remedy}.`,
    {
      cause,
    },
  );
}

const healthName = 'grpc.health.v1.Health';
const reflectionName = 'grpc.reflection.v1.ServerReflection';

function addService(
  server: Server,
  service: ServiceRegistration,
  authenticate: AuthenticateCall,
  observer: CallObserver,
): void {
  const definition: GrpcServiceDefinition = Object.fromEntries(
    service.methods.map((method) => [method.name, asBytes(method.definition)]),
  );
  const implementation: UntypedServiceImplementation = Object.fromEntries(
    service.methods.map((method) => [
      method.name,
      method.kind === 'unary'
        ? serveUnary(method, authenticate, observer)
        : serveStream(method, authenticate, observer),
    ]),
  );
  server.addService(definition, implementation);
}

/** The method with its messages left alone: they are decoded and encoded inside the wrappers. */
function asBytes({ path, requestStream, responseStream }: MethodDefinition) {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

function serveUnary(
  method: RegisteredMethod & { kind: 'unary' },
  authenticate: AuthenticateCall,
  observer: CallObserver,
) {
  const { definition } = method;
  return (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
    const [state, budgetMs] = startCall(call, defaultDeadlineMs, observer.clock);
    call.on('cancelled', () => state.abort(callCancelled()));
    const handle = async (): Promise<Buffer> => {
      state.principal = await authenticate(originOf(call));
      const request = decode(definition, call.request);
      return definition.responseSerialize(await method.handle(request, state));
    };
    runUnary({ path: definition.path, state, budgetMs, handle }, observer).then(
      (response) => callback(null, response),
      (error: unknown) => callback(statusFromError(DomainError.from(error))),
    );
  };
}

function serveStream(
  method: RegisteredMethod & { kind: 'stream' },
  authenticate: AuthenticateCall,
  observer: CallObserver,
) {
  const { definition } = method;
  return (call: ServerDuplexStream<Buffer, Buffer>): void => {
    const [state, budgetMs] = startCall(call, Infinity, observer.clock);
    const stream = new ServerStream({
      path: definition.path,
      state,
      budgetMs,
      observer,
      transport: {
        write: (message) => call.write(definition.responseSerialize(message)),
        finish(error) {
          if (error === null) call.end();
          else call.emit('error', statusFromError(error));
        },
        pause: () => call.pause(),
        resume: () => call.resume(),
      },
    });
    call.on('data', (bytes: Buffer) => {
      try {
        stream.receive(decode(definition, bytes));
      } catch (error) {
        stream.fail(DomainError.from(error));
      }
    });
    // A caller that hangs up makes the stream end before it is cancelled: only one that goes on was ended well.
    call.on('end', () => setImmediate(() => stream.receiveEnd()));
    call.on('drain', () => stream.drained());
    call.on('cancelled', () => stream.hungUp());
    call.pause();
    stream.start(async () => {
      state.principal = await authenticate(originOf(call));
      await method.handle(stream);
    });
  };
}

function startCall(
  call: Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getDeadline'>,
  defaultMs: number,
  clock: Clock,
): [CallState, number] {
  // gRPC counts by the machine's own clock.
  const deadline = Number(call.getDeadline());
  const budgetMs = handlerBudgetMs(deadline === Infinity ? defaultMs : deadline - systemClock.now());
  const get = getterOf(call.metadata);
  const state = new CallState({
    requestId: get('x-request-id'),
    deadline: clock.now() + budgetMs,
    traceparent: get('traceparent'),
    source: sourceFromMetadata(get),
  });
  return [state, budgetMs];
}

function originOf(call: Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getAuthContext'>): CallOrigin {
  return {
    get: getterOf(call.metadata),
    certificate: () => call.getAuthContext().sslPeerCertificate?.raw,
  };
}

function getterOf(metadata: Metadata): GetMetadata {
  return (name) => metadata.get(name)[0]?.toString();
}

function decode(definition: MethodDefinition, bytes: Buffer): unknown {
  try {
    return definition.requestDeserialize(bytes);
  } catch (error) {
    throw new DomainError('invalid_argument', 'The request could not be decoded.', { cause: error });
  }
}
