import { createFairQueue } from '../lanes/fair-queue.ts';

/** So many pages of jobs at a time in this process; who waits gets the next turn by organisation, one after the other. */
export interface JobTurns {
  /** Resolves when it is one's turn: call what it answers when the page is done. Null when the signal aborted before. */
  take(organisationId: string, signal: AbortSignal): Promise<(() => void) | null>;
}

type Waiter = (release: (() => void) | null) => void;

export function createJobTurns(places: number): JobTurns {
  const waiting = createFairQueue<Waiter>();
  let free = places;

  function serve(): void {
    while (free > 0) {
      const next = waiting.take();
      if (next === undefined) return;
      free -= 1;
      let isReleased = false;
      next(() => {
        if (isReleased) return;
        isReleased = true;
        free += 1;
        serve();
      });
    }
  }

  return {
    take: (organisationId, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve(null);
          return;
        }
        const leave = (): void => {
          waiting.remove(organisationId, waiter);
          resolve(null);
        };
        const waiter: Waiter = (release) => {
          signal.removeEventListener('abort', leave);
          resolve(release);
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.add(organisationId, waiter);
        serve();
      }),
  };
}
