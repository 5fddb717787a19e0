/**
 * Writes an answer. Nothing of the API may be stored by a cache or be taken for something else by a browser.
 * Where an answer comes before a large body was read (401, 413 …), what is on its way is read and thrown away for a
 * while: closing at once would reset the connection, and the client would never see why.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@posthorn/runtime';
import type { Answer } from './native/routing/route.ts';
import { requestIdOf } from './request-id.ts';

/** Bodies up to this are skipped by Node itself, and the connection stays usable. */
const skippedBytes = 64 * 1024;
/** How much, and for how long, is read from a client that goes on sending after it was answered. */
const maxDrainedBytes = 16 * 1024 * 1024;
const maxDrainMs = 5_000;

/** Sends the whole answer and ends the response. An answer to a client that has gone is dropped. */
export function sendAnswer(req: IncomingMessage, res: ServerResponse, answer: Answer, clock: Clock): void {
  if (res.headersSent || res.destroyed) return;
  // Text, not bytes, where it is JSON: Node puts it into one write with the head.
  const payload = answer.bytes ?? (answer.body === undefined ? '' : JSON.stringify(answer.body));
  const mustDrain = hasLargeRest(req);
  res.writeHead(answer.status, headersOf(answer, payload, requestIdOf(res), mustDrain));
  if (mustDrain) drainThenEnd(req, res, payload, clock);
  else res.end(payload);
}

function headersOf(
  { status, contentType, headers: own }: Answer,
  payload: Uint8Array | string,
  requestId: string,
  isLast: boolean,
): Record<string, string | number> {
  const headers: Record<string, string | number> = {
    'X-Request-Id': requestId,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  };
  if (status !== 204 && status !== 304) {
    headers['Content-Type'] = contentType ?? 'application/json';
    headers['Content-Length'] = Buffer.byteLength(payload);
  }
  if (isLast) headers['Connection'] = 'close';
  return own === undefined ? headers : Object.assign(headers, own);
}

function hasLargeRest(req: IncomingMessage): boolean {
  if (req.complete) return false;
  const length = req.headers['content-length'];
  return length === undefined
    ? req.headers['transfer-encoding'] !== undefined
    : Number(length) > skippedBytes;
}

function drainThenEnd(
  req: IncomingMessage,
  res: ServerResponse,
  payload: Uint8Array | string,
  clock: Clock,
): void {
  // A client that asked first and got no "100 Continue" sends nothing more.
  const isWaitingToSend = req.headers.expect !== undefined && req.readableFlowing === null;
  if (isWaitingToSend || req.destroyed) {
    res.end(payload);
    return;
  }
  res.write(payload);
  let left = maxDrainedBytes;
  const end = (): void => {
    clock.clearTimeout(timer);
    req.off('data', onData).off('end', end).off('close', end);
    res.end();
  };
  const onData = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) end();
  };
  const timer = clock.setTimeout(end, maxDrainMs);
  req.on('data', onData).on('end', end).on('close', end).on('error', end);
  req.resume();
}
