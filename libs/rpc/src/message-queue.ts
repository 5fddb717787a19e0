import type { DomainError } from '@posthorn/models';

/** What takes a queue's messages at its far end. */
export interface MessageSink<T> {
  message(message: T): void;
  /** Called once, after the last message. */
  end(error: DomainError | null): void;
  /** What was full has become empty. */
  drained(): void;
}

/** From how many waiting messages on the sender is asked to wait. */
const highWaterMark = 256;

/**
 * One direction of a stream within the process. Messages are handed over in order, never within the sender's call, all that
 * has gathered in one microtask: a message costs an array element, not a promise. Nothing flows before `resume`.
 */
export class MessageQueue<T> {
  readonly #sink: MessageSink<T>;
  #waiting: T[] = [];
  #flowing = false;
  #scheduled = false;
  #full = false;
  #discarded = false;
  /** Undefined until the sender has ended the direction. */
  #end: { readonly error: DomainError | null } | undefined;

  constructor(sink: MessageSink<T>) {
    this.#sink = sink;
  }

  /** Adds a message; false: the receiver is slow, wait for `drained`. */
  push(message: T): boolean {
    if (this.#discarded || this.#end !== undefined) return false;
    this.#waiting.push(message);
    this.#schedule();
    if (this.#waiting.length >= highWaterMark) this.#full = true;
    return !this.#full;
  }

  /** Says that nothing follows; the receiver hears of it after the last message. */
  end(error: DomainError | null): void {
    if (this.#discarded || this.#end !== undefined) return;
    this.#end = { error };
    this.#schedule();
  }

  pause(): void {
    this.#flowing = false;
  }

  resume(): void {
    this.#flowing = true;
    this.#schedule();
  }

  /** Forgets what waits, and whatever comes: the receiver is gone. */
  discard(): void {
    this.#discarded = true;
    this.#waiting = [];
  }

  #schedule(): void {
    if (this.#scheduled || !this.#flowing || this.#discarded) return;
    this.#scheduled = true;
    queueMicrotask(this.#deliver);
  }

  readonly #deliver = (): void => {
    this.#scheduled = false;
    const batch = this.#waiting;
    this.#waiting = [];
    let delivered = 0;
    for (const message of batch) {
      // The receiver may pause or go away at any message.
      if (!this.#flowing || this.#discarded) break;
      delivered++;
      this.#sink.message(message);
    }
    if (this.#discarded) return;
    if (delivered < batch.length) this.#waiting = [...batch.slice(delivered), ...this.#waiting];
    if (!this.#flowing) return;
    if (this.#waiting.length > 0) {
      this.#schedule();
      return;
    }
    if (this.#full) {
      this.#full = false;
      this.#sink.drained();
    }
    if (this.#end !== undefined && this.#waiting.length === 0) {
      this.#discarded = true;
      this.#sink.end(this.#end.error);
    }
  };
}
