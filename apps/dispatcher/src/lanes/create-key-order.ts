import type { DeliveryKey, KeyHead } from '../deliveries/delivery-store.ts';
import { blockedReason, holdsWhenExhausted } from './endpoint-order.ts';
import type { KeyOrder, KeyOrderOptions } from './key-order.ts';
import type { Holding } from '../ownership/ownership.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

interface KeyState {
  readonly key: DeliveryKey;
  readonly holding: Holding;
  /** In our hands until its end is durable. */
  head: QueuedDelivery | null;
  /** Storage has the head, with a next attempt. */
  headStored: boolean;
  /** In memory behind the head, in order. */
  readonly behind: QueuedDelivery[];
  /** Storage may hold more of it than its head. */
  stored: boolean;
  /** Records of it that go to storage and aren't durable. */
  underWay: number;
  /** How many went there so far. */
  parked: number;
  promoting: boolean;
  blocked: boolean;
  /** How often its head has come from storage. */
  turns: number;
}

/** More keys than these aren't remembered one by one after a takeover: each is looked up when something of it comes. */
const rememberedKeys = 10_000;
const behindInMemory = 100;
const holdAtOnce = 500;
const recheckedAtOnce = 200;
const tryAgainMs = 1000;

interface PartitionKeys {
  readonly states: Map<string, KeyState>;
  /** Whether a key that isn't in `states` has nothing in storage. */
  known: boolean;
  /** There were too many to remember. */
  overflown: boolean;
  turns: number;
}

export function createKeyOrder(options: KeyOrderOptions): KeyOrder {
  const { store, endpointOf, place, keepInMemory, setAside, noteStored, clock, dueClock, logger } = options;
  const partitions = new Map<Holding, PartitionKeys>();

  function keysOf(holding: Holding): PartitionKeys {
    const known = partitions.get(holding);
    if (known !== undefined) return known;
    const keys = { states: new Map<string, KeyState>(), known: true, overflown: false, turns: 0 };
    partitions.set(holding, keys);
    return keys;
  }

  const nameOf = ({ endpointId, key }: Pick<DeliveryKey, 'endpointId' | 'key'>): string =>
    `${endpointId} ${key}`;

  function stateFor(holding: Holding, key: Omit<DeliveryKey, 'partition'>): KeyState {
    const { states, known } = keysOf(holding);
    const name = nameOf(key);
    const there = states.get(name);
    if (there !== undefined) return there;
    const state: KeyState = {
      key: {
        organisationId: key.organisationId,
        endpointId: key.endpointId,
        key: key.key,
        partition: holding.partition,
      },
      holding,
      head: null,
      headStored: false,
      behind: [],
      stored: !known,
      underWay: 0,
      parked: 0,
      promoting: false,
      blocked: false,
      turns: 0,
    };
    states.set(name, state);
    return state;
  }

  function stateOf({ holding, order, delivery }: QueuedDelivery): KeyState {
    const { organisationId, endpointId } = delivery;
    return stateFor(holding, { organisationId, endpointId, key: order?.key ?? '' });
  }

  function wantsHold(state: KeyState): boolean {
    return holdsWhenExhausted(endpointOf(state.key)?.endpoint);
  }

  /** Whatever has changed: brings the next one forward when nothing of the key is before it. */
  function advance(state: KeyState): void {
    const { states } = keysOf(state.holding);
    if (states.get(nameOf(state.key)) !== state || state.holding.state === 'lost') return;
    if (state.head !== null || state.headStored || state.promoting || state.blocked) return;
    const next = state.behind.shift();
    if (next !== undefined) {
      next.isBehind = false;
      state.head = next;
      place(next);
      return;
    }
    if (state.stored) promote(state);
    else if (state.underWay === 0) states.delete(nameOf(state.key));
  }

  function promote(state: KeyState): void {
    state.promoting = true;
    const { parked, underWay, turns } = state;
    const request = { ...state.key, now: new Date(dueClock.now()), release: !wantsHold(state) };
    store.promote(request).then(
      (head) => {
        state.promoting = false;
        // Its head may have come meanwhile, and even have ended: then this is old news.
        if (state.turns !== turns) advance(state);
        else if (head !== null) tell(state, head);
        // What went there meanwhile, or is on its way, calls again when it is durable.
        else if (state.parked === parked && underWay === 0) state.stored = false;
        if (state.turns === turns && (head !== null || state.underWay === 0)) advance(state);
      },
      (error: unknown) => {
        logger.error(
          { err: error, endpointId: state.key.endpointId },
          'the next of a key could not be promoted',
        );
        clock
          .setTimeout(() => {
            state.promoting = false;
            advance(state);
          }, tryAgainMs)
          .unref();
      },
    );
  }

  function tell(state: KeyState, head: KeyHead): void {
    state.stored = true;
    if (head.kind === 'due') {
      state.headStored = true;
      noteStored(state.key.organisationId, state.key.endpointId, head.dueAt.getTime());
    } else block(state);
  }

  function block(state: KeyState): void {
    state.blocked = true;
    state.stored = true;
    for (const queued of state.behind.splice(0)) setAside(queued);
    const request = { ...state.key, reason: blockedReason, limit: holdAtOnce };
    store.holdKey(request).catch((error: unknown) => {
      logger.error(
        { err: error, endpointId: state.key.endpointId },
        'what a key holds back is not shown as held',
      );
    });
  }

  /** Goes to storage behind what is there, and after what is before it in memory. */
  function goBehind(state: KeyState, queued: QueuedDelivery): void {
    queued.isBehind = true;
    if (state.blocked) {
      queued.delivery = { ...queued.delivery, state: 'held', reason: blockedReason };
    }
    setAside(queued);
  }

  function parkAll(state: KeyState): void {
    for (const queued of state.behind.splice(0)) goBehind(state, queued);
  }

  return {
    admit(queued) {
      const state = stateOf(queued);
      const isFirst =
        state.head === null && !state.headStored && !state.stored && !state.blocked && state.underWay === 0;
      if (isFirst && state.behind.length === 0) {
        state.head = queued;
        return true;
      }
      const mayStay = !state.stored && !state.headStored && !state.blocked && state.underWay === 0;
      if (mayStay && state.behind.length < behindInMemory && queued.holding.mayStart()) {
        queued.isBehind = true;
        if (keepInMemory(queued)) {
          state.behind.push(queued);
          return false;
        }
      }
      // What came from storage is on record before it, and stays.
      if (state.behind.some(({ isRecorded }) => !isRecorded)) parkAll(state);
      goBehind(state, queued);
      return false;
    },

    follow(followers, refusedHeads) {
      const refused: QueuedDelivery[] = [];
      /** What goes back: none behind it may stay. */
      const gaps = [...refusedHeads];
      for (const queued of followers) {
        const state = stateOf(queued);
        const isOurs = queued.holding.state === 'held';
        const isNext = isOurs && state.head !== null && !state.headStored && !state.blocked;
        const isBehindGap = gaps.some((gap) => stateOf(gap) === state && isBefore(gap, queued));
        const last = state.behind.at(-1) ?? state.head;
        if (isNext && !isBehindGap && isBefore(last, queued) && keepInMemory(queued)) {
          state.behind.push(queued);
          continue;
        }
        if (!isBehindGap) gaps.push(queued);
        refused.push(queued);
      }
      return refused;
    },

    fetched(queued) {
      const state = stateOf(queued);
      if (state.head !== null) return false;
      state.head = queued;
      state.headStored = false;
      state.stored = true;
      state.turns += 1;
      keysOf(queued.holding).turns += 1;
      return true;
    },

    leaving(queued, delivery, order) {
      const state = stateOf(queued);
      if (order === null) {
        const place = state.behind.indexOf(queued);
        if (place !== -1) state.behind.splice(place, 1);
        return () => {
          if (state.head === queued) state.head = null;
          advance(state);
        };
      }
      state.underWay += 1;
      state.parked += 1;
      const durable = (): void => {
        state.underWay -= 1;
        if (state.underWay === 0) advance(state);
      };
      state.stored = true;
      if (queued.isBehind) return durable;
      if (state.head === queued) state.head = null;
      if (delivery.nextAttemptAt !== null) {
        state.headStored = true;
        return durable;
      }
      state.blocked = true;
      return () => {
        durable();
        if (state.blocked) block(state);
      };
    },

    left(queued) {
      const state = stateOf(queued);
      if (state.head === null && (state.headStored || state.blocked)) parkAll(state);
    },

    before(queued) {
      const { head, behind } = stateOf(queued);
      if (head === queued) return [];
      const until = behind.indexOf(queued);
      const line = [...(head === null ? [] : [head]), ...(until === -1 ? behind : behind.slice(0, until))];
      return line.filter((one) => !one.isRecorded && !one.done);
    },

    withdrawn(queued) {
      const state = stateOf(queued);
      const place = state.behind.indexOf(queued);
      if (place !== -1) state.behind.splice(place, 1);
      if (state.head === queued) state.head = null;
      advance(state);
    },

    recheck(holding, key) {
      const state = stateFor(holding, key);
      state.stored = true;
      state.parked += 1;
      state.headStored = false;
      state.blocked = false;
      // It may stand before what is in memory.
      parkAll(state);
      advance(state);
    },

    arrived(holding, key) {
      const state = stateFor(holding, key);
      state.stored = true;
      state.parked += 1;
      // What is behind a blocked head is held.
      state.blocked = false;
      advance(state);
    },

    toStorage(queued) {
      const state = stateOf(queued);
      state.stored = true;
      parkAll(state);
      goBehind(state, queued);
    },

    hasLine(holding, key) {
      const { states, known } = keysOf(holding);
      return !known || states.has(nameOf(key));
    },

    recheckEndpoint(endpointId) {
      for (const { states } of partitions.values()) {
        for (const state of states.values()) {
          if (state.key.endpointId !== endpointId || !(state.headStored || state.blocked)) continue;
          state.headStored = false;
          state.blocked = false;
          advance(state);
        }
      }
    },

    turns: (holding) => keysOf(holding).turns,

    learn(holding, { keys, isComplete, turns }) {
      const partition = keysOf(holding);
      for (const { key, head } of keys) {
        if (partition.states.size >= rememberedKeys && head.kind === 'due') {
          partition.overflown = true;
          continue;
        }
        const state = stateFor(holding, key);
        state.stored = true;
        if (partition.turns !== turns) advance(state);
        else if (state.head === null) tell(state, head);
      }
      partition.known = isComplete && !partition.overflown;
    },

    refresh(organisationId) {
      for (const { states } of partitions.values()) {
        for (const state of states.values()) {
          if (!state.blocked || state.key.organisationId !== organisationId || wantsHold(state)) continue;
          state.blocked = false;
          advance(state);
        }
      }
    },

    recheckSome() {
      let left = recheckedAtOnce;
      for (const { states } of partitions.values()) {
        for (const [name, state] of [...states]) {
          if (!state.headStored || left === 0) continue;
          left -= 1;
          states.delete(name);
          states.set(name, state);
          state.headStored = false;
          advance(state);
        }
      }
    },

    parkBehind(holding) {
      for (const state of keysOf(holding).states.values()) parkAll(state);
    },

    drop: (holding) => void partitions.delete(holding),
  };
}

function isBefore(first: QueuedDelivery | null, second: QueuedDelivery): boolean {
  return (first?.order?.position ?? Infinity) < (second.order?.position ?? -Infinity);
}
