/**
 * One request over one connection, and as much of the answer as we keep. The status decides as soon as the head is there: a
 * body that is too long, or breaks off, is cut and noted. Only the deadline is stronger, because answering in time, body
 * included, is what the receiver is asked for: else one that drips a byte a second would hold a place for ever and be called well.
 */
import { StringDecoder } from 'node:string_decoder';
import type { AttemptResponse } from '@posthorn/models';
import type { Dispatcher } from 'undici';
import type { Connection } from './connection.ts';
import type { Deadline } from './deadline.ts';
import { failureOf, type Failure } from './failure.ts';

/** How much of a body is read before the connection is closed, and how much is kept, in bytes. */
const maxBodyReadBytes = 65_536;
const maxBodyKeptBytes = 4_096;
/** How many headers of an answer are kept, and how many characters of them in all. */
const maxHeadersKept = 32;
const maxHeaderCharsKept = 4_096;

export interface OutgoingRequest {
  readonly path: string;
  /** Names and values by turns. */
  readonly headers: string[];
  readonly body: Uint8Array;
}

export interface ExchangeResult {
  /** Null when the head of an answer came and nothing is stronger than its status. */
  readonly failure: Failure | null;
  /** Null when no head came. */
  readonly status: number | null;
  readonly response: AttemptResponse | null;
  /** The connection ended before one byte of an answer had come. */
  readonly isUnanswered: boolean;
}

/** Sends and reads; never rejects. The connection is closed unless the whole answer was read. */
export function exchange(
  connection: Connection,
  request: OutgoingRequest,
  deadline: Deadline,
): Promise<ExchangeResult> {
  return new Promise((resolve) => {
    const reader = new AnswerReader(connection, resolve);
    deadline.onExpire = () => reader.expire(deadline.timeoutMs);
    const { path, headers, body } = request;
    connection.client.dispatch({ method: 'POST', path, headers, body }, reader);
  });
}

class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #connection: Connection;
  readonly #resolve: (result: ExchangeResult) => void;
  #isSettled = false;
  #hasBegun = false;
  #status: number | null = null;
  #headers: Readonly<Record<string, string>> = {};
  #readBytes = 0;
  #keptBytes = 0;
  readonly #kept: Buffer[] = [];

  constructor(connection: Connection, resolve: (result: ExchangeResult) => void) {
    this.#connection = connection;
    this.#resolve = resolve;
  }

  onRequestStart(): void {
    // Its presence tells undici which of its two handler interfaces this is.
  }

  /** The first byte of an answer is there. */
  onResponseStarted(): void {
    this.#hasBegun = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // Informational answers precede the one that counts.
    if (status < 200) return;
    this.#status = status;
    this.#headers = keepHeaders(headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#readBytes += chunk.length;
    const room = maxBodyKeptBytes - this.#keptBytes;
    if (room > 0) {
      const kept = chunk.subarray(0, room);
      this.#kept.push(kept);
      this.#keptBytes += kept.length;
    }
    if (this.#readBytes > maxBodyReadBytes) this.#cut(null);
  }

  onResponseEnd(): void {
    this.#settle(null, this.#readBytes > this.#keptBytes);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#cut(this.#status === null ? failureOf(error) : null);
  }

  expire(timeoutMs: number): void {
    const message =
      this.#status === null
        ? `No answer came within ${timeoutMs} ms.`
        : `The answer (${this.#status}) was not complete within ${timeoutMs} ms.`;
    this.#cut({ outcome: 'timeout', message });
  }

  #cut(failure: Failure | null): void {
    if (this.#isSettled) return;
    this.#settle(failure, true);
    this.#connection.destroy();
  }

  #settle(failure: Failure | null, isTruncated: boolean): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolve({
      failure,
      status: this.#status,
      response:
        this.#status === null
          ? null
          : { headers: this.#headers, body: this.#bodyText(isTruncated), truncated: isTruncated },
      isUnanswered: !this.#hasBegun && failure?.outcome === 'reset',
    });
  }

  #bodyText(isTruncated: boolean): string {
    const [first = Buffer.alloc(0), ...rest] = this.#kept;
    const bytes = rest.length === 0 ? first : Buffer.concat(this.#kept);
    // A character that was cut in two is left out.
    return isTruncated ? new StringDecoder('utf8').write(bytes) : bytes.toString();
  }
}

/** The headers in their order, as many as fit; one that comes several times is joined as RFC 9110 section 5.3 has it. */
function keepHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  let room = maxHeaderCharsKept;
  let count = 0;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    const length = name.length + text.length;
    if (length > room) continue;
    kept[name] = text;
    room -= length;
    if (++count === maxHeadersKept) break;
  }
  return kept;
}
