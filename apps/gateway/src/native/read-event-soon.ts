import { DomainError, idTimeMs, isId } from '@posthorn/models';
import { sleep, type Clock } from '@posthorn/runtime';

const youngMs = 10_000;
const patienceMs = 2_000;
const firstDelayMs = 20;
const longestDelayMs = 200;

/**
 * Reads what may not be on record yet: an event that was accepted a moment ago. For an id of ours younger than 10 s, a
 * `not_found` is asked again for up to 2 s; any other id is answered at once.
 */
export async function readEventSoon<T>(id: string, clock: Clock, read: () => Promise<T>): Promise<T> {
  const giveUpAt = clock.monotonic() + patienceMs;
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
    try {
      return await read();
    } catch (error) {
      const isWorthWaiting = DomainError.from(error).code === 'not_found' && isYoung(id, clock.now());
      if (!isWorthWaiting || clock.monotonic() + delayMs > giveUpAt) throw error;
    }
    await sleep(clock, delayMs);
  }
}

function isYoung(id: string, nowMs: number): boolean {
  return isId(id) && Math.abs(nowMs - idTimeMs(id)) < youngMs;
}
