/** How events look to people. */
import type { Output } from '../terminal/output.ts';
import type { EventResource } from '../client/resources.ts';
import type { Column } from '../terminal/table.ts';

/** The columns of a list of events. */
export function eventColumns(): readonly Column<EventResource>[] {
  return [
    { header: 'ID', value: ({ id }) => id },
    { header: 'ACCEPTED', value: ({ acceptedAt }) => acceptedAt },
    { header: 'TYPE', value: ({ type }) => type, flexible: true },
    { header: 'LABELS', value: ({ labels }) => labelText(labels), flexible: true },
    { header: 'SUBJECT', value: ({ subject }) => subject, flexible: true },
  ];
}

/** All of an event but its payload. */
export function eventLines(event: EventResource, output: Pick<Output, 'fields'>): string[] {
  return output.fields({
    id: event.id,
    type: event.type,
    labels: labelText(event.labels) || undefined,
    subject: event.subject ?? undefined,
    'idempotency key': event.idempotencyKey ?? undefined,
    occurred: event.occurredAt,
    accepted: event.acceptedAt,
    'deliver at': event.deliverAt ?? undefined,
  });
}

function labelText(labels: EventResource['labels']): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
