import type { DomainError } from '@posthorn/models';
import type { Logger } from '@posthorn/runtime';

/** What is logged of a request when it has been answered. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly operation: string;
  readonly status: number;
  readonly durationMs: number;
  readonly failure: DomainError | null;
}

/** One wide line for each request at debug level, and at error level for what is our fault. */
export function logRequest(logger: Logger, { failure, ...request }: AnsweredRequest): void {
  const isOurFault = request.status === 500;
  if (!isOurFault && !logger.isLevelEnabled('debug')) return;
  const fields = {
    ...request,
    ...(failure !== null && { code: failure.code, err: failure.cause ?? failure }),
  };
  if (isOurFault) logger.error(fields, 'request failed');
  else logger.debug(fields, 'request');
}
