import type { NextPosition } from '../deliveries/delivery-store.ts';
import { createProgress, type PositionMark, type Progress } from './progress.ts';

/**
 * Where each partition that is read here stands. The next position goes to storage with the records that it counts, under the
 * epoch of the lease that the partition is read under.
 */
export interface Books {
  /** Reading begins, or goes on elsewhere after a loss, at this position. */
  open(partition: number, epoch: number, next: number): void;
  /** Undefined when the partition isn't ours. */
  progress(partition: number): Progress | undefined;
  close(partition: number): void;
  /** Tells the watermark that this mark's delivery is about to be on record. */
  settle(mark: PositionMark): void;
  /** Where each partition stands, those that haven't moved since the last call left out. */
  moved(): readonly NextPosition[];
  /** Events that were read and aren't on record whole. */
  readonly unfinished: number;
}

export function createBooks(): Books {
  const partitions = new Map<
    number,
    { readonly epoch: number; readonly progress: Progress; written: number }
  >();

  return {
    open(partition, epoch, next) {
      const before = partitions.get(partition);
      const written = before?.epoch === epoch ? before.written : next;
      partitions.set(partition, { epoch, progress: createProgress(partition, next), written });
    },
    progress: (partition) => partitions.get(partition)?.progress,
    close: (partition) => void partitions.delete(partition),
    // A mark of a former time that the partition was ours isn't among those that hold the watermark back now.
    settle: (mark) => partitions.get(mark.partition)?.progress.settle(mark),
    moved() {
      const moved: NextPosition[] = [];
      for (const [partition, entry] of partitions) {
        const { next } = entry.progress;
        if (next === entry.written) continue;
        entry.written = next;
        moved.push({ partition, epoch: entry.epoch, next });
      }
      return moved;
    },
    get unfinished() {
      let unfinished = 0;
      for (const { progress } of partitions.values()) unfinished += progress.unfinished;
      return unfinished;
    },
  };
}
