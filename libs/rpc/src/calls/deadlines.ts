import { DomainError } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { CallState } from './call-context.ts';

/** How long a unary call may take when its caller doesn't say. */
export const defaultDeadlineMs = 10_000;

/** What a server keeps of a deadline for itself, so that its report still arrives before the caller has left. */
const reportingReserveMs = 20;

/** How much of the time that its caller waits a handler gets: all but 20 ms, or half when that is less. */
export function handlerBudgetMs(callerMs: number): number {
  return Math.max(callerMs - reportingReserveMs, callerMs / 2, 0);
}

/** Aborts the call when its deadline passes; the function that is returned stops that. */
export function enforceDeadline(state: CallState, budgetMs: number, clock: Clock): () => void {
  if (budgetMs === Infinity) return () => undefined;
  const timer = clock.setTimeout(() => state.abort(deadlineExceeded()), budgetMs);
  return () => clock.clearTimeout(timer);
}

/** The error of a call that wasn't answered in time. */
function deadlineExceeded(): DomainError {
  return new DomainError('deadline_exceeded', 'The answer took longer than the deadline allows.');
}

/** The error of a call whose caller has hung up. */
export function callCancelled(cause?: unknown): DomainError {
  return new DomainError('unavailable', 'The call was cancelled by its caller.', { cause });
}
