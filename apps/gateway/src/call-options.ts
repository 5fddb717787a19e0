import type { IncomingMessage } from 'node:http';
import type { Principal } from '@posthorn/models';
import type { CallOptions, RequestSource } from '@posthorn/rpc';

const standardDeadlineMs = 10_000;
const traceparent = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What a request hands to the RPCs that it causes: who asks and from where, its id, its deadline, and its trace when it is a sane one. */
export function callOptionsOf(
  req: IncomingMessage,
  call: {
    readonly principal: Principal;
    readonly requestId: string;
    readonly deadlineMs: number | undefined;
    readonly source: RequestSource;
  },
): CallOptions {
  const trace = req.headers['traceparent'];
  return {
    principal: call.principal,
    requestId: call.requestId,
    source: call.source,
    deadlineMs: call.deadlineMs ?? standardDeadlineMs,
    ...(typeof trace === 'string' && traceparent.test(trace) && { traceparent: trace }),
  };
}
