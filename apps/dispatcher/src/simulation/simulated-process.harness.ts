import { DomainError } from '@posthorn/models';
import type { Clock, Timer } from '@posthorn/runtime';
import type { FakeClock, SeededRandom } from '@posthorn/testing';

/**
 * A process in a simulation of several: its clock shows another wall time than the others', it can be frozen (its monotonic clock goes
 * on meanwhile, as that of a stopped process does) and killed. What it has sent to a store arrives all the same, late maybe.
 */
export interface SimulatedProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly isRunning: boolean;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL. */
  kill(): void;
  /** Lets something happen in the process once it runs; never, when it is dead. */
  run(work: () => void): void;
  /** The store as this process reaches it: over a network that takes its time, and not while it is away. */
  reach<S extends object>(store: S): S;
}

export interface StoreWeather {
  /** Calls that are refused. */
  readonly away: Set<string>;
  /** How long a call, or its answer, may take. */
  slowMs: number;
}

export function createSimulatedProcess(
  name: string,
  options: {
    readonly clock: FakeClock;
    readonly random: SeededRandom;
    readonly weather: StoreWeather;
    readonly wallOffsetMs: number;
  },
): SimulatedProcess {
  const { clock: world, random, weather, wallOffsetMs } = options;
  let state: 'running' | 'frozen' | 'dead' = 'running';
  let held: (() => void)[] = [];

  function run(work: () => void): void {
    if (state === 'running') work();
    else if (state === 'frozen') held.push(work);
  }

  const clock: Clock = {
    now: () => world.now() + wallOffsetMs,
    monotonic: () => world.monotonic(),
    setTimeout: (fn, ms): Timer => world.setTimeout(() => run(fn), ms),
    clearTimeout: (timer) => world.clearTimeout(timer),
  };

  const onTheWay = (): Promise<void> =>
    weather.slowMs === 0
      ? Promise.resolve()
      : new Promise((resolve) => void world.setTimeout(resolve, random.integer(0, weather.slowMs)));

  function call(method: string, work: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      void (async () => {
        await onTheWay();
        if (weather.away.has(method)) throw new DomainError('unavailable', 'The store is away.');
        const value = await work();
        await onTheWay();
        return value;
      })().then(
        (value) => run(() => resolve(value)),
        (error: unknown) => run(() => reject(error instanceof Error ? error : new Error(String(error)))),
      );
    });
  }

  return {
    name,
    clock,
    get isRunning() {
      return state === 'running';
    },
    freeze() {
      if (state === 'running') state = 'frozen';
    },
    thaw() {
      if (state !== 'frozen') return;
      state = 'running';
      const works = held;
      held = [];
      for (const work of works) run(work);
    },
    kill() {
      state = 'dead';
      held = [];
    },
    run,
    reach: (store) =>
      new Proxy(store, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property);
          if (typeof value !== 'function' || typeof property !== 'string') return value;
          return (...args: unknown[]) =>
            call(property, () => Promise.resolve(Reflect.apply(value, target, args) as unknown));
        },
      }),
  };
}
