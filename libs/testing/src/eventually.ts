/**
 * Waiting for something that happens on its own, without guessing how long it takes: the condition is asked again and
 * again, and only a generous deadline makes it a failure, with the condition's own last words as the explanation.
 */
import { inspect } from 'node:util';

export interface EventuallyOptions {
  /** How long to keep asking: generous, it is spent only when the test fails. */
  readonly timeoutMs?: number;
  /** How long to wait between two questions. */
  readonly everyMs?: number;
  /** What is waited for; begins the message of a failure. */
  readonly message?: string;
}

/**
 * Resolves with the condition's value as soon as it holds. It doesn't hold while it throws (an `expect` in it is welcome)
 * or gives `false`.
 *
 * @throws Error after the deadline, with what the condition threw last as its cause.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 5, message = 'The condition' }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await condition();
      if (value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) throw failure(message, timeoutMs, last);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function failure(message: string, timeoutMs: number, last: unknown): Error {
  const words = last === undefined ? 'it was false' : last instanceof Error ? last.message : inspect(last);
  return new Error(`${message} did not hold within ${timeoutMs} ms: ${words}`, { cause: last });
}
