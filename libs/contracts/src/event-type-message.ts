import type { Enforcement, EventType } from '@posthorn/models';
import * as configV1 from './config-v1.ts';
import { createEnumTable } from './enum-table.ts';
import { required } from './required.ts';

/** `enforcement` and its enum. */
export const enforcementTable = createEnumTable({
  off: configV1.Enforcement.ENFORCEMENT_OFF,
  warn: configV1.Enforcement.ENFORCEMENT_WARN,
  reject: configV1.Enforcement.ENFORCEMENT_REJECT,
} satisfies Record<Enforcement, configV1.Enforcement>);

/** The event type as a message. */
export function eventTypeToMessage(eventType: EventType): configV1.EventType {
  return {
    organisationId: eventType.organisationId,
    name: eventType.name,
    description: eventType.description,
    schemaJson: eventType.schemaJson ?? undefined,
    enforcement: enforcementTable.toMessage(eventType.enforcement),
    retired: eventType.retired,
    createdAt: eventType.createdAt,
    updatedAt: eventType.updatedAt,
  };
}

/** The event type of a message that shows a stored one. Throws `invalid_argument` when something is unspecified. */
export function eventTypeFromMessage(message: configV1.EventType): EventType {
  return {
    organisationId: message.organisationId,
    name: message.name,
    description: message.description,
    schemaJson: message.schemaJson ?? null,
    enforcement: enforcementTable.fromMessage(message.enforcement, '/enforcement'),
    retired: message.retired,
    createdAt: required(message.createdAt, '/createdAt'),
    updatedAt: required(message.updatedAt, '/updatedAt'),
  };
}
