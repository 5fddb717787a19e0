import type { ApiKey } from '@posthorn/models';
import type { Clock, Logger } from '@posthorn/runtime';
import type { KeyStore } from './key-store.ts';

/**
 * Remembers when keys were last used, to the minute, off the path that authenticates: nobody waits for it, and when it
 * fails the key works all the same.
 */
export interface KeyUsage {
  seen(key: ApiKey): void;
  /** Resolves when what was seen is on record. */
  drain(): Promise<void>;
}

const resolutionMs = 60_000;

export interface KeyUsageDependencies {
  readonly store: KeyStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createKeyUsage({ store, clock, logger }: KeyUsageDependencies): KeyUsage {
  const underWay = new Map<string, Promise<void>>();

  async function record(id: string, usedAt: Date): Promise<void> {
    try {
      await store.touch(id, usedAt);
    } catch (error) {
      logger.warn({ err: error, keyId: id }, 'the last use of a key could not be recorded');
    } finally {
      underWay.delete(id);
    }
  }

  return {
    seen({ id, lastUsedAt }) {
      const now = clock.now();
      if (underWay.has(id) || now - (lastUsedAt?.getTime() ?? 0) < resolutionMs) return;
      underWay.set(id, record(id, new Date(now)));
    },
    async drain() {
      await Promise.all(underWay.values());
    },
  };
}
