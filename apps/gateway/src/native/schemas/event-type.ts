import { eventTypeFromMessage, type configV1 } from '@posthorn/contracts';
import { enforcements, eventTypeLimits, type Enforcement } from '@posthorn/models';
import { time } from './scalars.ts';
import { answerSchema, pageSchema, requestSchema, type Definition } from '../routing/schema.ts';

/** An event type as the API shows it. */
export interface EventTypeView {
  readonly name: string;
  readonly organisation: string;
  readonly description: string;
  /** The JSON Schema itself. */
  readonly schema: unknown;
  readonly enforcement: Enforcement;
  readonly retired: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface EventTypeChanges {
  readonly description?: string;
  readonly schema?: object | null;
  readonly enforcement?: Enforcement;
  readonly retired?: boolean;
}

export interface EventTypeInput extends EventTypeChanges {
  readonly name?: string;
}

const changes = {
  description: { type: 'string', maxLength: eventTypeLimits.descriptionLength },
  schema: {
    type: ['object', 'null'],
    description: `A JSON Schema (2020-12) for the payload, at most ${eventTypeLimits.schemaBytes} bytes; null: anything goes.`,
  },
  enforcement: {
    type: 'string',
    enum: enforcements,
    description:
      'What happens to a payload that breaks the schema: `reject` refuses it at publish, `warn` accepts and logs it, `off` does not look. When left out: `reject` with a schema, `off` without.',
  },
  retired: { type: 'boolean', description: 'A retired type can no longer be published.' },
} satisfies Record<string, Definition>;

export const eventTypeInputSchema = requestSchema<EventTypeInput>('EventTypeInput', {
  properties: { ...changes, name: { type: 'string', description: 'The name in the path, if at all.' } },
});

export const eventTypeChangesSchema = requestSchema<EventTypeChanges>('EventTypeChanges', {
  description: 'A merge patch (RFC 7396) over the top-level fields.',
  properties: changes,
});

export const eventTypeSchema = answerSchema<EventTypeView>('EventType', {
  description: 'An entry of the catalogue of event types.',
  properties: {
    name: { type: 'string', examples: ['order.paid'] },
    organisation: { type: 'string', description: 'The id of its organisation.' },
    description: { type: 'string' },
    schema: { type: ['object', 'null'] },
    enforcement: { type: 'string', enum: enforcements },
    retired: { type: 'boolean' },
    createdAt: time,
    updatedAt: time,
  },
});

export const eventTypePageSchema = pageSchema(eventTypeSchema);

export function eventTypeView(message: configV1.EventType): EventTypeView {
  const { organisationId, name, description, schemaJson, ...rest } = eventTypeFromMessage(message);
  return {
    name,
    organisation: organisationId,
    description,
    schema: schemaJson === null ? null : (JSON.parse(schemaJson) as unknown),
    ...rest,
  };
}
