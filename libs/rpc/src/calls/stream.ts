/**
 * Bidirectional streams: the two ends as handlers and callers see them, and what both transports share of them.
 *
 * Guaranteed: messages arrive in order, each at most once; whatever was sent before the end or the failure of the other
 * side arrives before it; each end learns exactly once that the call is over; a callback that throws fails the call with
 * a mapped error. Messages flow from when `onMessage` is registered, so it is registered first, and in the same turn.
 */
import { DomainError } from '@posthorn/models';
import type { CallContext, CallState } from './call-context.ts';
import type { CallObserver } from './call-observer.ts';
import { callCancelled, enforceDeadline } from './deadlines.ts';
import { publicError } from './unary.ts';

/** What both ends of a stream can do. */
interface StreamEnd<In, Out> {
  /** Registers what takes the other side's messages, and lets them flow. */
  onMessage(fn: (message: In) => void | Promise<void>): void;
  /** Registers what is called when `send` may go on after it answered false. */
  onDrain(fn: () => void): void;
  /** Sends; false: the other side is slow, wait for `onDrain` (this message is on its way). Does nothing once the call is over. */
  send(message: Out): boolean;
  /** Lets the other side's messages wait, until it notices. */
  pause(): void;
  resume(): void;
}

/** A stream as its handler sees it. */
export interface StreamCall<Request, Response> extends StreamEnd<Request, Response> {
  readonly ctx: CallContext;
  /** The caller has sent its last message; answers may still be sent. */
  onEnd(fn: () => void): void;
  /** The call is over, for whatever reason; several may ask to be told. */
  onClose(fn: () => void): void;
  /** Ends the call well, after what was sent. */
  end(): void;
  /** Ends the call with an error, after what was sent. */
  fail(error: DomainError): void;
}

/** A stream as its caller sees it. */
export interface ClientStream<Request, Response> extends StreamEnd<Response, Request> {
  /** The call is over: null when the server ended it well, else why not. */
  onClose(fn: (error: DomainError | null) => void): void;
  /** Says that this was the last message; answers still come. */
  end(): void;
  /** Hangs up: nothing is sent or received any more. */
  cancel(): void;
}

/** What a transport does for the server's end. It delivers nothing before `resume`. */
export interface ServerStreamTransport {
  write(message: unknown): boolean;
  /** Closes the call after what was written; with what the caller may see. */
  finish(error: DomainError | null): void;
  pause(): void;
  resume(): void;
}

/** What a transport does for the caller's end. It delivers nothing before `resume`. */
export interface ClientStreamTransport {
  write(message: unknown): boolean;
  end(): void;
  cancel(): void;
  pause(): void;
  resume(): void;
}

interface ServerStreamOptions {
  readonly path: string;
  readonly state: CallState;
  readonly budgetMs: number;
  readonly transport: ServerStreamTransport;
  readonly observer: CallObserver;
}

/** The server's end: the handler on one side, a transport on the other. */
export class ServerStream implements StreamCall<unknown, unknown> {
  readonly ctx: CallState;
  readonly #options: ServerStreamOptions;
  readonly #startedAt: number;
  readonly #stopDeadline: () => void;
  #closed = false;
  #onMessage: ((message: unknown) => void | Promise<void>) | undefined;
  #onEnd: (() => void) | undefined;
  readonly #onClose: (() => void)[] = [];
  #onDrain: (() => void) | undefined;

  constructor(options: ServerStreamOptions) {
    this.ctx = options.state;
    this.#options = options;
    this.#startedAt = options.observer.clock.monotonic();
    options.state.onAbort = (reason) => this.#close(reason);
    this.#stopDeadline = enforceDeadline(options.state, options.budgetMs, options.observer.clock);
  }

  onMessage(fn: (message: unknown) => void | Promise<void>): void {
    this.#onMessage = fn;
    this.resume();
  }

  onEnd(fn: () => void): void {
    this.#onEnd = fn;
  }

  onClose(fn: () => void): void {
    if (this.#closed) queueMicrotask(fn);
    else this.#onClose.push(fn);
  }

  onDrain(fn: () => void): void {
    this.#onDrain = fn;
  }

  send(message: unknown): boolean {
    if (this.#closed) return false;
    try {
      return this.#options.transport.write(message);
    } catch (thrown) {
      this.#close(DomainError.from(thrown));
      return false;
    }
  }

  end(): void {
    this.#close(null);
  }

  fail(error: DomainError): void {
    this.#close(error);
  }

  pause(): void {
    this.#options.transport.pause();
  }

  resume(): void {
    if (!this.#closed) this.#options.transport.resume();
  }

  /** For the transport: runs the handler, or whatever comes before it. */
  start(handle: (call: StreamCall<unknown, unknown>) => void | Promise<void>): void {
    this.#guard(handle, this);
  }

  /** For the transport: a message has come. */
  receive(message: unknown): void {
    if (!this.#closed && this.#onMessage !== undefined) this.#guard(this.#onMessage, message);
  }

  /** For the transport: the caller has ended its side. */
  receiveEnd(): void {
    if (!this.#closed && this.#onEnd !== undefined) this.#guard(this.#onEnd, undefined);
  }

  /** For the transport: what was written has left. */
  drained(): void {
    if (!this.#closed && this.#onDrain !== undefined) this.#guard(this.#onDrain, undefined);
  }

  /** For the transport: the caller is gone. */
  hungUp(): void {
    this.ctx.abort(callCancelled());
  }

  #guard<T>(callback: (value: T) => void | Promise<void>, value: T): void {
    try {
      const result = callback(value);
      if (result !== undefined) result.catch((thrown: unknown) => this.#close(DomainError.from(thrown)));
    } catch (thrown) {
      this.#close(DomainError.from(thrown));
    }
  }

  #close(error: DomainError | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopDeadline();
    this.ctx.finish();
    const { observer, path, state, transport } = this.#options;
    observer.finished(path, state, this.#startedAt, error);
    transport.finish(error === null ? null : publicError(error));
    for (const listener of this.#onClose) queueMicrotask(listener);
  }
}

/** The caller's end. Who makes it calls `connect` at once, with the transport that it hands messages on to. */
export class CallerStream implements ClientStream<unknown, unknown> {
  readonly #signal: AbortSignal | undefined;
  #transport: ClientStreamTransport | undefined;
  /** Undefined while the call goes on. */
  #outcome: { readonly error: DomainError | null } | undefined;
  #onMessage: ((message: unknown) => void | Promise<void>) | undefined;
  #onClose: ((error: DomainError | null) => void) | undefined;
  #onDrain: (() => void) | undefined;

  /** @param signal hangs up when it is aborted */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  connect(transport: ClientStreamTransport): this {
    this.#transport = transport;
    if (this.#signal?.aborted) this.cancel();
    else this.#signal?.addEventListener('abort', this.#hangUp);
    return this;
  }

  onMessage(fn: (message: unknown) => void | Promise<void>): void {
    this.#onMessage = fn;
    this.resume();
  }

  onClose(fn: (error: DomainError | null) => void): void {
    this.#onClose = fn;
    if (this.#outcome !== undefined) this.#tellClosed();
  }

  onDrain(fn: () => void): void {
    this.#onDrain = fn;
  }

  send(message: unknown): boolean {
    if (this.#outcome !== undefined || this.#transport === undefined) return false;
    try {
      return this.#transport.write(message);
    } catch (thrown) {
      this.#giveUp(DomainError.from(thrown));
      return false;
    }
  }

  end(): void {
    if (this.#outcome === undefined) this.#transport?.end();
  }

  cancel(): void {
    this.#giveUp(callCancelled(this.#signal?.reason));
  }

  pause(): void {
    if (this.#outcome === undefined) this.#transport?.pause();
  }

  resume(): void {
    if (this.#outcome === undefined) this.#transport?.resume();
  }

  /** For the transport: a message has come. */
  receive(message: unknown): void {
    if (this.#outcome === undefined && this.#onMessage !== undefined) this.#guard(this.#onMessage, message);
  }

  /** For the transport: what was written has left. */
  drained(): void {
    if (this.#outcome === undefined && this.#onDrain !== undefined) this.#guard(this.#onDrain, undefined);
  }

  /** For the transport: the call is over. */
  close(error: DomainError | null): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = { error };
    this.#signal?.removeEventListener('abort', this.#hangUp);
    this.#tellClosed();
  }

  readonly #hangUp = (): void => this.cancel();

  #guard<T>(callback: (value: T) => void | Promise<void>, value: T): void {
    try {
      const result = callback(value);
      if (result !== undefined) result.catch((thrown: unknown) => this.#giveUp(DomainError.from(thrown)));
    } catch (thrown) {
      this.#giveUp(DomainError.from(thrown));
    }
  }

  #giveUp(error: DomainError): void {
    if (this.#outcome !== undefined) return;
    this.#transport?.cancel();
    this.close(error);
  }

  #tellClosed(): void {
    const { error } = this.#outcome ?? { error: null };
    const listener = this.#onClose;
    // Never within the caller's own call of `cancel` or `send`, and alike on both transports.
    if (listener !== undefined) queueMicrotask(() => listener(error));
  }
}
