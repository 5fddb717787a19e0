import type { CallOptions } from './call-context.ts';
import type { RequestOf, ResponseOf } from './define-service.ts';
import type { ClientStream } from './stream.ts';

/**
 * What a service looks like to its callers, whatever lies between. Every rejection is a DomainError.
 * A stream's listeners are registered right after it was opened, in the same turn.
 */
export type Client<D> = {
  readonly [M in keyof D]: D[M] extends { requestStream: false; responseStream: false }
    ? (request: RequestOf<D[M]>, options: CallOptions) => Promise<ResponseOf<D[M]>>
    : D[M] extends { requestStream: true; responseStream: true }
      ? (options: CallOptions) => ClientStream<RequestOf<D[M]>, ResponseOf<D[M]>>
      : never;
};
