import type { EventLogReader, LogConsumer, LoggedEvent } from '@posthorn/event-log';
import type { Event } from '@posthorn/models';
import type { FakeClock, SeededRandom } from '@posthorn/testing';
import type { SimulatedProcess } from './simulated-process.harness.ts';

/**
 * A partitioned log with a group of readers, in memory. As with Kafka, a new owner is told of its partition while the old one may
 * still have it, a frozen member is put out of the group and learns of it when it wakes, and a batch may come from an old
 * owner's buffer.
 */
export interface SimulatedLog {
  readonly partitions: readonly (readonly LoggedEvent[])[];
  append(event: Event): void;
  reader(process: SimulatedProcess): EventLogReader;
  /** Shares the partitions out anew among the members that are in the group. */
  rebalance(): void;
  /** Puts a member out of the group: it didn't say that it lives. */
  expel(process: SimulatedProcess): void;
  /** It lives after all, and comes back. */
  rejoin(process: SimulatedProcess): void;
  readonly members: number;
}

interface Member {
  readonly process: SimulatedProcess;
  readonly reader: Reader;
  readonly hasLeft: boolean;
}

const batchSize = 7;

export function createSimulatedLog(
  count: number,
  { clock, random }: { readonly clock: FakeClock; readonly random: SeededRandom },
): SimulatedLog {
  const partitions: LoggedEvent[][] = Array.from({ length: count }, () => []);
  const members = new Map<SimulatedProcess, Member>();
  const owners = new Map<number, SimulatedProcess>();

  function tell(process: SimulatedProcess, partition: number, isAssigned: boolean): void {
    const member = members.get(process) ?? gone.get(process);
    if (member === undefined) return;
    process.run(() => (isAssigned ? member.reader.assign(partition) : member.reader.revoke(partition)));
  }
  /** Members that were put out, and may still run. */
  const gone = new Map<SimulatedProcess, Member>();

  function rebalance(): void {
    const running = [...members.keys()];
    for (let partition = 0; partition < count; partition += 1) {
      const before = owners.get(partition);
      const stays = before !== undefined && members.has(before) && random.chance(0.5);
      const now = stays || running.length === 0 ? before : random.pick(running);
      if (now === before) continue;
      if (now === undefined) owners.delete(partition);
      else owners.set(partition, now);
      if (before !== undefined) tell(before, partition, false);
      if (now !== undefined) tell(now, partition, true);
    }
  }

  function partitionOf({ id, orderingKey }: Event): number {
    let hash = 7;
    for (const char of orderingKey ?? id) hash = (hash * 31 + char.charCodeAt(0)) % 65_521;
    return hash % count;
  }

  return {
    partitions,
    get members() {
      return members.size;
    },
    append(event) {
      const partition = partitions[partitionOf(event)] ?? [];
      partition.push({ position: partition.length + 1, event });
      for (const { process, reader } of members.values()) process.run(() => reader.look());
    },
    rebalance,
    expel(process) {
      const member = members.get(process);
      if (member === undefined) return;
      members.delete(process);
      gone.set(process, member);
      rebalance();
    },
    rejoin(process) {
      const member = gone.get(process);
      if (member === undefined || member.hasLeft) return;
      gone.delete(process);
      members.set(process, member);
      rebalance();
    },
    reader(process) {
      const reader = new Reader(process, partitions, clock, random);
      return {
        partitions: count,
        async start(consumer) {
          reader.consumer = consumer;
          members.set(process, { process, reader, hasLeft: false });
          rebalance();
        },
        pause: (partition) => void reader.paused.add(partition),
        resume(partition) {
          reader.paused.delete(partition);
          reader.look();
        },
        reopen: (partition) => reader.reopen(partition),
        recorded: () => undefined,
        async stop() {
          const member = members.get(process);
          members.delete(process);
          if (member !== undefined) gone.set(process, { ...member, hasLeft: true });
          rebalance();
          await reader.stop();
        },
      };
    },
  };
}

class Reader {
  consumer: LogConsumer | undefined;
  readonly paused = new Set<number>();
  readonly #next = new Map<number, number>();
  /** With which assignment it is: an answer to an earlier one is not used. */
  readonly #assigned = new Map<number, number>();
  #assignments = 0;
  readonly #revoking = new Map<number, Promise<void>>();
  readonly #process: SimulatedProcess;
  readonly #partitions: readonly (readonly LoggedEvent[])[];
  readonly #clock: FakeClock;
  readonly #random: SeededRandom;

  constructor(
    process: SimulatedProcess,
    partitions: readonly (readonly LoggedEvent[])[],
    clock: FakeClock,
    random: SeededRandom,
  ) {
    this.#process = process;
    this.#partitions = partitions;
    this.#clock = clock;
    this.#random = random;
  }

  assign(partition: number): void {
    const assignment = (this.#assignments += 1);
    this.#assigned.set(partition, assignment);
    const isCurrent = (): boolean => this.#assigned.get(partition) === assignment;
    void (async () => {
      await this.#revoking.get(partition);
      if (!isCurrent()) return;
      try {
        const next = await this.consumer?.assigned(partition);
        if (next === undefined || !isCurrent()) return;
        this.paused.delete(partition);
        this.#next.set(partition, next);
        this.look();
      } catch {
        this.#process.clock.setTimeout(() => {
          if (isCurrent()) this.assign(partition);
        }, 200);
      }
    })();
  }

  reopen(partition: number): void {
    if (!this.#assigned.has(partition)) return;
    this.#next.delete(partition);
    this.assign(partition);
  }

  revoke(partition: number): void {
    if (!this.#assigned.delete(partition)) return;
    this.#next.delete(partition);
    const revoking = (this.consumer?.revoked(partition) ?? Promise.resolve()).finally(() => {
      if (this.#revoking.get(partition) === revoking) this.#revoking.delete(partition);
    });
    this.#revoking.set(partition, revoking);
  }

  async stop(): Promise<void> {
    for (const partition of [...this.#assigned.keys()]) this.revoke(partition);
    await Promise.all(this.#revoking.values());
  }

  /** Hands over what has come, a little later. */
  look(): void {
    this.#clock.setTimeout(() => this.#process.run(() => this.#handOver()), this.#random.integer(0, 20));
  }

  #handOver(): void {
    for (const [partition, next] of this.#next) {
      if (this.paused.has(partition)) continue;
      const events = (this.#partitions[partition] ?? []).slice(next - 1, next - 1 + batchSize);
      const last = events.at(-1);
      if (last === undefined) continue;
      this.#next.set(partition, last.position + 1);
      this.consumer?.deliver({ partition, events, mayRepeat: false });
      this.look();
    }
  }
}
