/** How a receiver may answer, well and badly. They can be put together: `failTimes(2, respond(503), hang())`. */
import type { ReceivedRequest, ReceiverExchange } from './received-request.ts';

/** Answers one request, or doesn't. */
export type Behaviour = (exchange: ReceiverExchange) => void;

export interface Answer {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Answers at once. */
export function respond(status: number, { headers = {}, body = '' }: Answer = {}): Behaviour {
  return ({ response }) => response.writeHead(status, headers).end(body);
}

/** Chooses a status, or another behaviour, by the request. */
export function respondBy(choose: (request: ReceivedRequest) => number | Behaviour): Behaviour {
  return (exchange) => {
    const chosen = choose(exchange.request);
    const behaviour = typeof chosen === 'number' ? respond(chosen) : chosen;
    behaviour(exchange);
  };
}

/** Takes the request and never answers. */
export function hang(): Behaviour {
  return () => undefined;
}

/** Takes the request and breaks the connection with a TCP reset. */
export function reset(): Behaviour {
  return ({ socket }) => socket.resetAndDestroy();
}

/** Takes the request and closes the connection without a word. */
export function closeWithoutAnswer(): Behaviour {
  return ({ socket }) => socket.destroy();
}

/** Sends a whole head that announces more body than comes, and closes. */
export function breakBody(status: number, body = 'begun but not'): Behaviour {
  return ({ response, socket }) => {
    response.writeHead(status, { 'content-length': String(Buffer.byteLength(body) + 100) });
    response.write(body, () => socket.end());
  };
}

export interface Drip {
  readonly status?: number;
  /** How long to wait between two bytes. */
  readonly everyMs: number;
}

/** Answers the head at once and then sends a byte of the body from time to time, without end. */
export function drip({ status = 200, everyMs }: Drip): Behaviour {
  return ({ response }) => {
    response.writeHead(status);
    response.write('.');
    const timer = setInterval(() => response.write('.'), everyMs);
    response.on('close', () => clearInterval(timer));
  };
}

/** Answers a head and as many bytes of body as the reader takes, up to `totalBytes`. */
export function flood(totalBytes: number, status = 200): Behaviour {
  return ({ response }) => {
    const block = Buffer.alloc(65_536, 0x61);
    let left = totalBytes;
    const write = (): void => {
      while (left > 0 && !response.destroyed) {
        left -= block.length;
        if (!response.write(block)) {
          response.once('drain', write);
          return;
        }
      }
      response.end();
    };
    response.writeHead(status);
    write();
  };
}

/** Behaves so after a while. */
export function delay(delayMs: number, behaviour: Behaviour): Behaviour {
  return (exchange) => {
    const timer = setTimeout(() => behaviour(exchange), delayMs);
    exchange.response.on('close', () => clearTimeout(timer));
  };
}

/** Behaves badly for the first `count` requests that it sees, and then well. */
export function failTimes(count: number, failure: Behaviour, success: Behaviour = respond(204)): Behaviour {
  let left = count;
  return (exchange) => (left-- > 0 ? failure : success)(exchange);
}
