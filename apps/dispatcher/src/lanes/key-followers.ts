import { isFinal, type Delivery } from '@posthorn/models';
import type { DeliveryOrder } from '../deliveries/delivery-store.ts';

/**
 * Which of a key come into memory with its head, so that each of them costs no look into storage of its own. A head that was
 * attempted before comes alone: when it fails again, what came with it would have to go back.
 */
export interface KeyHeadFound extends Pick<Delivery, 'attempts'> {
  readonly order: DeliveryOrder | null;
}

/** What waits behind a head: whether it may follow depends on this. */
export interface Follower extends Pick<Delivery, 'state'> {
  readonly isDue: boolean;
  readonly isClaimed: boolean;
}

/** So few aren't worth a question for each head. */
const fewestEach = 2;

/** How many may follow each of the heads, of so many in all. */
export function followersEach(heads: readonly KeyHeadFound[], followers: number): number {
  const fresh = heads.filter(({ order, attempts }) => order !== null && attempts === 0).length;
  const each = fresh === 0 ? 0 : Math.floor(followers / fresh);
  return each < fewestEach ? 0 : each;
}

/** What may follow a head of the line behind it: up to the first that is in someone's hands, is due itself, or has ended. */
export function withoutGap<T>(line: readonly T[], read: (one: T) => Follower): readonly T[] {
  const end = line.findIndex((one) => {
    const { state, isDue, isClaimed } = read(one);
    return isDue || isClaimed || isFinal(state);
  });
  return end === -1 ? line : line.slice(0, end);
}
