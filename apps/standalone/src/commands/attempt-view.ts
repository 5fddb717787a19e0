/** How deliveries and attempts look to people. */
import type { Output, StyleName } from '../terminal/output.ts';
import type { AttemptResource, DeliveryResource } from '../client/resources.ts';
import type { Column } from '../terminal/table.ts';
import { bodyLines } from './endpoint-view.ts';

const stateStyles: Readonly<Record<DeliveryResource['state'], StyleName>> = {
  pending: 'cyan',
  retrying: 'yellow',
  succeeded: 'green',
  exhausted: 'red',
  failed: 'red',
  held: 'yellow',
  cancelled: 'dim',
};

/** The columns of a list of deliveries. */
export function deliveryColumns({ style }: Pick<Output, 'style'>): readonly Column<DeliveryResource>[] {
  return [
    { header: 'ID', value: ({ id }) => id },
    { header: 'CREATED', value: ({ createdAt }) => createdAt },
    { header: 'EVENT TYPE', value: ({ eventType }) => eventType, flexible: true },
    { header: 'ENDPOINT', value: ({ endpointId }) => endpointId },
    {
      header: 'STATE',
      value: ({ state }) => state.padEnd(9),
      style: (text, { state }) => style(stateStyles[state], text),
    },
    { header: 'TRIES', value: ({ attempts }) => attempts, align: 'right' },
    { header: 'LAST', value: ({ lastAttempt }) => lastAttempt && outcomeText(lastAttempt) },
    { header: 'NEXT', value: ({ nextAttemptAt }) => nextAttemptAt },
  ];
}

/** The columns of a list of attempts. */
export function attemptColumns({ style }: Pick<Output, 'style'>): readonly Column<AttemptResource>[] {
  return [
    { header: '#', value: ({ number }) => number, align: 'right' },
    { header: 'STARTED', value: ({ startedAt }) => startedAt },
    { header: 'TRIGGER', value: ({ trigger }) => trigger },
    {
      header: 'OUTCOME',
      value: outcomeText,
      style: (text, { outcome }) => style(outcome === 'success' ? 'green' : 'red', text),
    },
    { header: 'MS', value: ({ durationMs }) => durationMs, align: 'right' },
    { header: 'ADDRESS', value: ({ address }) => address },
    { header: 'ERROR', value: ({ error }) => error, flexible: true },
  ];
}

/** All of a delivery but its attempts. */
export function deliveryLines(delivery: DeliveryResource, output: Pick<Output, 'fields'>): string[] {
  return output.fields({
    id: delivery.id,
    event: `${delivery.eventId} (${delivery.eventType})`,
    endpoint: delivery.endpointId,
    state: delivery.reason ? `${delivery.state} (${delivery.reason})` : delivery.state,
    attempts: delivery.attempts,
    'next attempt': delivery.nextAttemptAt ?? undefined,
    created: delivery.createdAt,
    finished: delivery.finishedAt ?? undefined,
  });
}

/** All of an attempt, with what the receiver answered. */
export function attemptLines(attempt: AttemptResource, output: Pick<Output, 'fields'>): string[] {
  const { response } = attempt;
  return [
    ...output.fields({
      attempt: attempt.number,
      outcome: outcomeText(attempt),
      error: attempt.error ?? undefined,
      trigger: attempt.trigger,
      started: attempt.startedAt,
      took: `${attempt.durationMs} ms`,
      address: attempt.address,
      signature: attempt.signature ?? undefined,
      ...Object.fromEntries(
        Object.entries(response?.headers ?? {}).map(([name, value]) => [`< ${name}`, value]),
      ),
    }),
    ...(response?.body ? ['', ...bodyLines(response.body), ...(response.truncated ? ['  …'] : [])] : []),
  ];
}

function outcomeText({ outcome, status }: Pick<AttemptResource, 'outcome' | 'status'>): string {
  return status === null ? outcome : `${outcome} ${status}`;
}
