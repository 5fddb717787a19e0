import { configV1, enforcementTable, eventTypeToMessage, fieldMaskFromMessage } from '@posthorn/contracts';
import { checkEventType, DomainError, type EventType, type EventTypeSettings } from '@posthorn/models';
import { defineService, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import { requireKnownOrganisation } from '../authority.ts';
import type { EventTypePosition } from './event-type-store.ts';
import { readPage, type CursorCodec } from '../page.ts';
import { checkPayloadSchema } from './payload-schema.ts';
import type { ConfigStores } from '../stores/stores.ts';
import { refuseIfAny } from '../violations.ts';

/** EventTypeService: an organisation's catalogue. Schemas are compiled before they are stored. */
export interface EventTypesDependencies {
  readonly stores: ConfigStores;
  readonly clock: Clock;
  readonly maxPerOrganisation: number;
}

type Settings = Omit<EventTypeSettings, 'name'>;

const editable = [
  'description',
  'schemaJson',
  'enforcement',
  'retired',
] as const satisfies readonly (keyof Settings)[];

const positionCursor: CursorCodec<EventTypePosition> = {
  write: ({ createdAt, name }) => `${createdAt.getTime()} ${name}`,
  read(text) {
    const [, time, name] = /^(\d{1,15}) (.+)$/.exec(text) ?? [];
    return time === undefined || name === undefined ? null : { createdAt: new Date(Number(time)), name };
  },
};

export function createEventTypeService({
  stores: { organisations, eventTypes },
  clock,
  maxPerOrganisation,
}: EventTypesDependencies): ServiceRegistration<typeof configV1.EventTypeServiceService> {
  return defineService(configV1.EventTypeServiceService, {
    async putEventType({ eventType: message }, { principal }) {
      const { organisationId = '', name = '' } = message ?? {};
      await requireKnownOrganisation(organisations, principal, organisationId);
      const settings = settingsOf(message);
      refuse({ name, ...settings });
      const now = new Date(clock.now());
      const wanted: EventType = { organisationId, name, ...settings, createdAt: now, updatedAt: now };
      const { eventType, created } = await eventTypes.put(wanted, maxPerOrganisation);
      return { eventType: eventTypeToMessage(eventType), created };
    },

    async getEventType({ organisationId, name }, { principal }) {
      await requireKnownOrganisation(organisations, principal, organisationId);
      const eventType = await eventTypes.find(organisationId, name);
      if (eventType === null) throw noSuchEventType();
      return { eventType: eventTypeToMessage(eventType) };
    },

    async listEventTypes(request, { principal }) {
      const { organisationId } = request;
      await requireKnownOrganisation(organisations, principal, organisationId);
      const { items, nextCursor } = await readPage(request, positionCursor, {
        load: (limit, after) => eventTypes.list({ organisationId, limit, after }),
        positionOf: ({ createdAt, name }) => ({ createdAt, name }),
      });
      return { eventTypes: items.map(eventTypeToMessage), nextCursor };
    },

    async updateEventType({ eventType: message, updateMask }, { principal }) {
      const { organisationId = '', name = '' } = message ?? {};
      await requireKnownOrganisation(organisations, principal, organisationId);
      const fields = fieldMaskFromMessage(updateMask, editable);
      const given = settingsOf(message);
      const changes = Object.fromEntries(fields.map((field) => [field, given[field]])) as Partial<Settings>;
      refuse(changes);
      const updatedAt = new Date(clock.now());
      const updated = await eventTypes.update(organisationId, name, { ...changes, updatedAt });
      if (updated === null) throw noSuchEventType();
      return { eventType: eventTypeToMessage(updated) };
    },

    async deleteEventType({ organisationId, name }, { principal }) {
      await requireKnownOrganisation(organisations, principal, organisationId);
      if (!(await eventTypes.delete(organisationId, name))) throw noSuchEventType();
      return {};
    },
  });
}

/** What a message says, with defaults where it says nothing: a type with a schema enforces it. */
function settingsOf(message: configV1.EventType | undefined): Settings {
  const schemaJson = message?.schemaJson ?? null;
  const byDefault = schemaJson === null ? 'off' : 'reject';
  return {
    description: message?.description ?? '',
    schemaJson,
    enforcement: message?.enforcement
      ? enforcementTable.fromMessage(message.enforcement, '/enforcement')
      : byDefault,
    retired: message?.retired ?? false,
  };
}

function refuse(settings: Partial<EventTypeSettings>): void {
  const violations = checkEventType(settings);
  const { schemaJson } = settings;
  // A schema that is too large or too deep never reaches the compiler.
  const isSchemaReadable = schemaJson && !violations.some(({ field }) => field === '/schema');
  refuseIfAny([...violations, ...(isSchemaReadable ? checkPayloadSchema(schemaJson) : [])]);
}

function noSuchEventType(): DomainError {
  return new DomainError('not_found', 'There is no such event type.');
}
