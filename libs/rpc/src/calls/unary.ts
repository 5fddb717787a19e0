/**
 * The one way in which a unary handler runs, on the network as in the process. However it behaves (answers, throws, rejects
 * with nonsense, never comes back), its caller gets exactly one answer within the deadline, and nothing of what went
 * wrong inside.
 */
import { DomainError } from '@posthorn/models';
import type { CallObserver } from './call-observer.ts';
import type { CallState } from './call-context.ts';
import { enforceDeadline } from './deadlines.ts';

/** One unary call on the side that answers it. */
export interface UnaryCall<T> {
  /** For logs and metrics: `/package.Service/Method`. */
  readonly path: string;
  readonly state: CallState;
  /** How long the handler may take; see `handlerBudgetMs`. */
  readonly budgetMs: number;
  /** Authenticates where that is needed, and runs the handler. */
  readonly handle: () => Promise<T>;
}

/** Runs the call. Rejects with a DomainError only; its `cause` must not leave the process. */
export function runUnary<T>(call: UnaryCall<T>, observer: CallObserver): Promise<T> {
  const { path, state } = call;
  const startedAt = observer.clock.monotonic();
  return new Promise((resolve, reject) => {
    const stopDeadline = enforceDeadline(state, call.budgetMs, observer.clock);
    let answered = false;
    /** True the first time only: a handler that is late has no one to tell. */
    const answer = (error: DomainError | null): boolean => {
      if (answered) return false;
      answered = true;
      stopDeadline();
      state.finish();
      observer.finished(path, state, startedAt, error);
      return true;
    };
    const succeed = (value: T): void => {
      if (answer(null)) resolve(value);
    };
    const fail = (thrown: unknown): void => {
      const error = DomainError.from(thrown);
      if (answer(error)) reject(error);
    };

    state.onAbort = fail;
    try {
      call.handle().then(succeed, fail);
    } catch (thrown) {
      fail(thrown);
    }
  });
}

/** The error as its caller may see it: all that is public, nothing of the cause. */
export function publicError(error: DomainError): DomainError {
  return error.cause === undefined
    ? error
    : new DomainError(error.code, error.message, {
        violations: error.violations,
        ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
      });
}
