import { type Dialect, isFinal, type DeliveryState, type SigningEndpoint } from '@posthorn/models';
import type { Logger } from '@posthorn/runtime';
import type { DeliverySearch, EndedAttempt } from '../deliveries/delivery-search.ts';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';

/**
 * Dialects that switch an endpoint off by itself count over all dispatchers, so they are answered from the records, and only when a
 * delivery has ended badly: rapidly when the last ten deliveries that ended all failed, xurrent when twenty attempts in a row failed and
 * there is more than a week between the first failure and the last.
 */
export interface SwitchOff {
  /** Told what was just put on record. */
  observe(records: readonly DeliveryRecord[]): void;
  /** Resolves when nothing is being looked at any more. */
  idle(): Promise<void>;
}

/** Answers whether the endpoint is to be switched off; `latest` is read only as far as it has to be. */
export type SwitchOffRule = (latest: AsyncIterable<readonly EndedAttempt[]>) => Promise<boolean>;

/** Why such an endpoint is disabled. */
const switchedOffReason = 'failing';

const weekMs = 7 * 86_400_000;
const failedDeliveries = 10;
const failedAttempts = 20;
/** How far back is looked: an endpoint with more attempts than that since its last success is left on until one of them ends. */
const mostAttempts = 10_000;

/** The rules, by dialect; the others switch nothing off like this. */
export const switchOffRules: Readonly<Partial<Record<Dialect, SwitchOffRule>>> = {
  async rapidly(latest) {
    const seen = new Set<string>();
    let failed = 0;
    for await (const { deliveryId, deliveryState } of attemptsOf(latest)) {
      if (seen.has(deliveryId)) continue;
      seen.add(deliveryId);
      // A redelivery that fails doesn't turn a success back: its delivery counts as what it is.
      if (deliveryState === 'succeeded') return false;
      if (hasFailed(deliveryState)) failed += 1;
      if (failed === failedDeliveries) return true;
    }
    return false;
  },

  async xurrent(latest) {
    let failures = 0;
    let last: Date | null = null;
    for await (const { startedAt, succeeded } of attemptsOf(latest)) {
      if (succeeded) return false;
      failures += 1;
      last ??= startedAt;
      if (failures >= failedAttempts && last.getTime() - startedAt.getTime() > weekMs) return true;
    }
    return false;
  },
};

async function* attemptsOf(latest: AsyncIterable<readonly EndedAttempt[]>): AsyncGenerator<EndedAttempt> {
  let count = 0;
  for await (const slice of latest) {
    for (const attempt of slice) {
      if (++count > mostAttempts) return;
      yield attempt;
    }
  }
}

function hasFailed(state: DeliveryState | null): boolean {
  return state !== null && isFinal(state) && state !== 'succeeded' && state !== 'cancelled';
}

export function createSwitchOff(options: {
  readonly search: Pick<DeliverySearch, 'latestAttempts'>;
  readonly directory: Pick<Directory, 'endpoint'>;
  readonly disable: (endpoint: SigningEndpoint, reason: string) => Promise<void>;
  readonly logger: Logger;
}): SwitchOff {
  const { search, directory, disable, logger } = options;
  /** One look at a time for each endpoint; what ends meanwhile asks for one more. */
  const looking = new Map<string, { again: boolean; readonly done: Promise<void> }>();

  async function look(organisationId: string, endpointId: string): Promise<void> {
    const signing = directory.endpoint(organisationId, endpointId);
    if (signing === undefined || signing.endpoint.state === 'disabled') return;
    const rule = switchOffRules[signing.endpoint.dialect];
    if (rule === undefined) return;
    try {
      if (await rule(search.latestAttempts(organisationId, endpointId))) {
        await disable(signing, switchedOffReason);
      }
    } catch (error) {
      // The next delivery that ends badly asks again.
      logger.error({ err: error, endpointId }, 'whether an endpoint is to be switched off could not be told');
    }
  }

  async function lookUntilQuiet(organisationId: string, endpointId: string): Promise<void> {
    do {
      const entry = looking.get(endpointId);
      if (entry !== undefined) entry.again = false;
      await look(organisationId, endpointId);
    } while (looking.get(endpointId)?.again === true);
    looking.delete(endpointId);
  }

  function consider(organisationId: string, endpointId: string): void {
    const entry = looking.get(endpointId);
    if (entry !== undefined) {
      entry.again = true;
      return;
    }
    const done = Promise.resolve().then(() => lookUntilQuiet(organisationId, endpointId));
    looking.set(endpointId, { again: false, done });
  }

  return {
    observe(records) {
      for (const { delivery, attempt } of records) {
        if (attempt === null || attempt.outcome === 'success' || !hasFailed(delivery.state)) continue;
        const dialect = directory.endpoint(delivery.organisationId, delivery.endpointId)?.endpoint.dialect;
        if (dialect !== undefined && switchOffRules[dialect] !== undefined) {
          consider(delivery.organisationId, delivery.endpointId);
        }
      }
    },
    async idle() {
      await Promise.all([...looking.values()].map(({ done }) => done));
    },
  };
}
