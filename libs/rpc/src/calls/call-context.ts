/**
 * What is known of a call while it is handled. Every call has a principal, a request id and an end: its deadline, its
 * caller hanging up, or its answer.
 */
import { randomUUID } from 'node:crypto';
import type { DomainError, Principal } from '@posthorn/models';
import type { RequestSource } from './request-source.ts';

/** What a handler knows of the call that it answers. */
export interface CallContext {
  /** On whose behalf the call is made. */
  readonly principal: Principal;
  readonly requestId: string;
  /** Where the request came from that the call is made for. */
  readonly source?: RequestSource;
  /** Aborted, with a DomainError as its reason, when the caller hung up or the deadline has passed. Made when first asked for. */
  readonly signal: AbortSignal;
  /** Until when an answer is of use, milliseconds since the epoch; Infinity for a stream without one. */
  readonly deadline: number;
  /** W3C trace context of the caller. */
  readonly traceparent?: string;
}

/** What a caller says with each call. */
export interface CallOptions {
  readonly principal: Principal;
  /** Made up when absent. */
  readonly requestId?: string;
  /** How long to wait for the answer; 10 s when absent for unary calls, no limit for streams. */
  readonly deadlineMs?: number;
  /** Hangs up when it is aborted. */
  readonly signal?: AbortSignal;
  readonly traceparent?: string;
  /** Where the request came from that the call is made for. */
  readonly source?: RequestSource | undefined;
}

interface CallStateOptions {
  readonly requestId: string | undefined;
  readonly deadline: number;
  readonly traceparent: string | undefined;
  readonly source: RequestSource | undefined;
}

/** The context as the transports see it: they learn the principal, and abort. */
export class CallState implements CallContext {
  readonly requestId: string;
  readonly deadline: number;
  declare readonly traceparent?: string;
  declare readonly source?: RequestSource;
  /** Called once, with the first reason for which the call is given up. */
  onAbort: ((reason: DomainError) => void) | undefined;
  #principal: Principal | undefined;
  #abortReason: DomainError | undefined;
  #finished = false;
  #controller: AbortController | undefined;

  constructor(options: CallStateOptions) {
    this.requestId = options.requestId ?? randomUUID();
    this.deadline = options.deadline;
    if (options.traceparent !== undefined) this.traceparent = options.traceparent;
    if (options.source !== undefined) this.source = options.source;
  }

  /** Known once the call is authenticated, which is before any handler runs. */
  get principal(): Principal {
    if (this.#principal === undefined) throw new Error('The call has not been authenticated.');
    return this.#principal;
  }

  set principal(principal: Principal) {
    this.#principal = principal;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** The call has been answered: who hangs up from now on interrupts nothing. */
  finish(): void {
    this.#finished = true;
  }

  /** Gives the call up; later reasons are ignored. */
  abort(reason: DomainError): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
    this.onAbort?.(reason);
  }
}
