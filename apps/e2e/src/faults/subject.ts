/** What the fault suite breaks: the embedded platform, and the four services over Kafka and MongoDB. */
import type { NameServer } from '@posthorn/testing';
import { startNameServer } from '@posthorn/testing';
import type { LoadedPlatform } from '../load/load-on-tenant.ts';

/** Somewhere to live that can be made to fail in other ways than a process can. */
export type Surroundings = 'plain' | 'clock' | 'disk' | 'slow';

export interface Subject {
  readonly platform: LoadedPlatform;
  /** The name server that the platform asks; `receiver.test` is this machine. */
  readonly names: NameServer;
  /** Says what the platform wrote last when the work fails. */
  explain<T>(work: () => Promise<T>): Promise<T>;
  dispose(): Promise<void>;
}

/** By this name the endpoints call the receiver. */
export const receiverName = 'receiver.test';

/** Forgotten soon, so that a change is felt. */
const ttlSeconds = 1;

export function startNames(): Promise<NameServer> {
  return startNameServer({ [receiverName]: ['127.0.0.1'] }, ttlSeconds);
}

/** Surroundings that this machine can't offer. */
export class CannotBreakError extends Error {}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** A moment at random. */
export function randomMoment(fromSeconds: number, toSeconds: number): Promise<void> {
  return sleep(fromSeconds + Math.random() * (toSeconds - fromSeconds));
}
