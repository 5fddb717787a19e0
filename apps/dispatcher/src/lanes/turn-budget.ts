/**
 * Spreads work over turns of the event loop: at most so much in one, the rest in the next ones, so that however much is waiting,
 * whoever else needs the loop (a publish, a probe) gets it soon.
 */
export interface TurnBudget {
  /** False when this turn's share is used up; `onNextTurn` is called then, once, in the next turn. */
  take(): boolean;
}

/** A share is about what a few milliseconds are enough for when it is attempts that are started. */
const share = 64;

export function createTurnBudget(onNextTurn: () => void, perTurn = share): TurnBudget {
  let left = perTurn;
  let isScheduled = false;
  let wanted = false;

  function nextTurn(): void {
    isScheduled = false;
    left = perTurn;
    if (!wanted) return;
    wanted = false;
    onNextTurn();
  }

  return {
    take() {
      if (!isScheduled) {
        isScheduled = true;
        setImmediate(nextTurn);
      }
      if (left === 0) {
        wanted = true;
        return false;
      }
      left -= 1;
      return true;
    },
  };
}
