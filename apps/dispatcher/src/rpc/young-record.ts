import { idTimeMs, isId } from '@posthorn/models';
import { sleep, type Clock } from '@posthorn/runtime';

/** What was accepted or planned a moment ago may not be on record yet: for an id younger than this, a look-up waits. */
const youngMs = 10_000;
const longestWaitMs = 2000;
const lookEveryMs = 25;

/** Looks a record up; when it isn't there and its id is that of something just made, looks again for up to two seconds. */
export async function findYoung<T>(
  id: string,
  find: () => Promise<T | null>,
  { clock, signal }: { readonly clock: Clock; readonly signal: () => AbortSignal },
): Promise<T | null> {
  const found = await find();
  if (found !== null || !isId(id)) return found;
  if (Math.abs(clock.now() - idTimeMs(id)) > youngMs) return null;
  const until = clock.monotonic() + longestWaitMs;
  while (clock.monotonic() < until && !signal().aborted) {
    await sleep(clock, lookEveryMs, signal());
    const later = await find();
    if (later !== null) return later;
  }
  return null;
}
