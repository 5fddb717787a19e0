/**
 * grpc.health.v1: what orchestrators and load balancers ask. Never authenticated, and says nothing but whether this process
 * takes calls: for the server as a whole (the empty name) and for each service alike.
 */
import { Metadata, status as Code, type ServerWritableStream } from '@grpc/grpc-js';
import { grpcHealthV1 } from '@posthorn/contracts';

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = grpcHealthV1.HealthCheckResponse_ServingStatus;

type Watcher = ServerWritableStream<grpcHealthV1.HealthCheckRequest, grpcHealthV1.HealthCheckResponse>;

/** See `createHealth`. */
export interface Health {
  readonly handlers: grpcHealthV1.HealthServer;
  /** What is answered from now on, and told to whoever watches. */
  setServing(serving: boolean): void;
  /** Ends the calls of those who watch, which would otherwise keep the server from stopping. */
  endWatches(): void;
}

/** Makes the health service of a server with these services; not serving until it is told so. */
export function createHealth(serviceNames: readonly string[]): Health {
  const known = new Set(['', ...serviceNames]);
  const watchers = new Set<Watcher>();
  let serving = false;

  const answer = (service: string): grpcHealthV1.HealthCheckResponse => ({
    status: !known.has(service) ? SERVICE_UNKNOWN : serving ? SERVING : NOT_SERVING,
  });

  return {
    handlers: {
      check(call, callback) {
        if (known.has(call.request.service)) callback(null, answer(call.request.service));
        else
          callback({ code: Code.NOT_FOUND, details: 'There is no such service.', metadata: new Metadata() });
      },
      list(_call, callback) {
        callback(null, { statuses: Object.fromEntries([...known].map((name) => [name, answer(name)])) });
      },
      watch(call) {
        watchers.add(call);
        call.on('cancelled', () => watchers.delete(call));
        call.write(answer(call.request.service));
      },
    },
    setServing(value) {
      if (value === serving) return;
      serving = value;
      for (const call of watchers) call.write(answer(call.request.service));
    },
    endWatches() {
      for (const call of watchers) call.end();
      watchers.clear();
    },
  };
}
