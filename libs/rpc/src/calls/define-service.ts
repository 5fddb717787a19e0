/**
 * A service is its generated definition and one handler for each method, and nothing of how it is reached: the network
 * server and the in-process client run the same registration.
 */
import type { CallContext } from './call-context.ts';
import type { StreamCall } from './stream.ts';

/** One method as ts-proto generates it. */
export interface MethodDefinition {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  requestSerialize(message: unknown): Buffer;
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(message: unknown): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

/** A service as ts-proto generates it, for example `ingestV1.IngestServiceService`. */
export type ServiceDefinition = Readonly<Record<string, MethodDefinition>>;

/** The request message of a method. */
export type RequestOf<M> = M extends { requestDeserialize: (bytes: Buffer) => infer Request }
  ? Request
  : never;

/** The response message of a method. */
export type ResponseOf<M> = M extends { responseDeserialize: (bytes: Buffer) => infer Response }
  ? Response
  : never;

/** Answers a unary call. What it throws arrives as it is when it is a DomainError, else as a bare `internal`. */
export type UnaryHandler<Request, Response> = (request: Request, ctx: CallContext) => Promise<Response>;

/** Takes a stream over: registers its listeners before it returns. */
export type StreamHandler<Request, Response> = (call: StreamCall<Request, Response>) => void | Promise<void>;

/** One handler for each method of a definition; streams are bidirectional or not at all. */
export type Handlers<D> = {
  readonly [M in keyof D]: D[M] extends { requestStream: false; responseStream: false }
    ? UnaryHandler<RequestOf<D[M]>, ResponseOf<D[M]>>
    : D[M] extends { requestStream: true; responseStream: true }
      ? StreamHandler<RequestOf<D[M]>, ResponseOf<D[M]>>
      : never;
};

/** A method with its handler, types erased: the definition they came with has checked them. */
export type RegisteredMethod = { readonly name: string; readonly definition: MethodDefinition } & (
  | { readonly kind: 'unary'; readonly handle: UnaryHandler<unknown, unknown> }
  | { readonly kind: 'stream'; readonly handle: StreamHandler<unknown, unknown> }
);

/** A service that is ready to be served; see `defineService`. */
export interface ServiceRegistration<D extends ServiceDefinition = ServiceDefinition> {
  readonly definition: D;
  /** The full name: `posthorn.ingest.v1.IngestService`. */
  readonly name: string;
  readonly methods: readonly RegisteredMethod[];
}

/** Binds handlers to a definition. Throws when a handler is missing, which the types rule out. */
export function defineService<D extends ServiceDefinition>(
  definition: D,
  handlers: Handlers<D>,
): ServiceRegistration<D> {
  const untyped = handlers as Readonly<Record<string, unknown>>;
  const methods = Object.entries(definition).map(([name, method]): RegisteredMethod => {
    const handle = untyped[name];
    if (typeof handle !== 'function') throw new Error(`There is no handler for ${method.path}.`);
    const bound = handle.bind(handlers) as RegisteredMethod['handle'];
    return method.requestStream
      ? { kind: 'stream', name, definition: method, handle: bound as StreamHandler<unknown, unknown> }
      : { kind: 'unary', name, definition: method, handle: bound as UnaryHandler<unknown, unknown> };
  });
  return { definition, name: serviceNameOf(definition), methods };
}

/** The full name of a service, from the paths of its methods. */
function serviceNameOf(definition: ServiceDefinition): string {
  const [first] = Object.values(definition);
  const name = first?.path.split('/')[1];
  if (name === undefined) throw new Error('A service needs at least one method.');
  return name;
}
