/**
 * What of a partition is on record, as a watermark: everything before `next` is. Events are recorded in any order; the
 * watermark moves only over the unbroken run at its head, so after a crash reading goes on at the oldest event that wasn't
 * recorded whole, and whatever is read twice is found on record.
 */
export interface Progress {
  /** An event was read; it holds the watermark back until `settle` was called as often as `open` says. */
  begin(position: number, open: number): PositionMark;
  /** One of the event's deliveries is on record (or, with none, the event is planned). */
  settle(mark: PositionMark): void;
  /** The next position to read after a restart. */
  readonly next: number;
  /** Events that hold the watermark back. */
  readonly unfinished: number;
}

/** An event's hold on the watermark. */
export interface PositionMark {
  readonly partition: number;
  readonly position: number;
  open: number;
}

export function createProgress(partition: number, start: number): Progress {
  let marks: PositionMark[] = [];
  let head = 0;
  let next = start;

  function advance(): void {
    for (let mark = marks[head]; mark !== undefined && mark.open <= 0; mark = marks[head]) {
      next = mark.position + 1;
      head += 1;
    }
    if (head > 1024 && head * 2 > marks.length) {
      marks = marks.slice(head);
      head = 0;
    }
  }

  return {
    begin(position, open) {
      const mark = { partition, position, open };
      marks.push(mark);
      return mark;
    },
    settle(mark) {
      mark.open -= 1;
      if (mark === marks[head]) advance();
    },
    get next() {
      return next;
    },
    get unfinished() {
      return marks.length - head;
    },
  };
}
