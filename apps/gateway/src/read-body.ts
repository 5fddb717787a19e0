/**
 * Reads a request's body into one buffer, with a cap. Too large is known early where the client declares the length, and
 * at the first byte over where it doesn't. Slow bodies are ended by the server's request timeout, and an upload that is
 * cut off rejects like any other bad request: there is just nobody left to answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '@posthorn/models';

const nothing = Buffer.alloc(0);

/** The whole body. Rejects with `payload_too_large`, or `invalid_argument` when it was cut off. */
export function readBody(req: IncomingMessage, res: ServerResponse, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const declared = req.headers['content-length'];
    if (declared !== undefined && Number(declared) > maxBytes) {
      reject(tooLarge(maxBytes));
      return;
    }
    // Nothing was sent before it was known that it would be wanted; see http-server.ts.
    if (req.headers.expect !== undefined) res.writeContinue();

    let first: Buffer = nothing;
    let rest: Buffer[] | null = null;
    let bytes = 0;

    const stop = (): void => {
      req.off('data', onData);
      req.off('end', onEnd);
      req.off('error', onCutOff);
      req.off('close', onCutOff);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        stop();
        req.pause();
        reject(tooLarge(maxBytes));
      } else if (first === nothing) first = chunk;
      else (rest ??= [first]).push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(rest === null ? first : Buffer.concat(rest, bytes));
    };
    const onCutOff = (): void => {
      stop();
      reject(new DomainError('invalid_argument', 'The request was cut off before its body was complete.'));
    };
    req.on('data', onData);
    req.on('end', onEnd);
    req.on('error', onCutOff);
    req.on('close', onCutOff);
  });
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError('payload_too_large', `The body is larger than ${maxBytes} bytes.`);
}
