import type { Violation } from '../errors.ts';
import type { EventType } from './event-type.ts';
import { checkEventTypeName, isOperationalEventType } from './event-type-name.ts';
import { checkText } from '../field-check.ts';
import { isRecord } from '../filters/filter-path.ts';
import { maxJsonDepth, scanObject } from '../json/json-scan.ts';

/** What bounds an entry of the catalogue of event types. */
export const eventTypeLimits = {
  /** In characters. */
  descriptionLength: 1000,
  /** In bytes of JSON text. */
  schemaBytes: 64 * 1024,
} as const;

/** What an owner may write of an event type. */
export type EventTypeSettings = Pick<
  EventType,
  'name' | 'description' | 'schemaJson' | 'enforcement' | 'retired'
>;

/** Everything that is wrong with those settings that are given. Whether the schema is a valid JSON Schema is for a validator to say. */
export function checkEventType(settings: Partial<EventTypeSettings>): readonly Violation[] {
  const { name, description, schemaJson } = settings;
  return [
    ...(name === undefined ? [] : checkOwnEventTypeName(name, '/name')),
    ...(description === undefined ? [] : checkDescription(description)),
    ...(schemaJson === undefined || schemaJson === null ? [] : checkSchemaJson(schemaJson)),
  ];
}

/** What is wrong with the name of an event type that isn't one of ours: names below `posthorn` belong to operational events. */
export function checkOwnEventTypeName(name: string, field: string): readonly Violation[] {
  if (!isOperationalEventType(name)) return checkEventTypeName(name, field);
  const message = 'Names that begin with "posthorn." are kept for operational events.';
  return [{ field, code: 'reserved', message }];
}

function checkDescription(description: string): readonly Violation[] {
  return checkText(description, '/description', {
    maxLength: eventTypeLimits.descriptionLength,
    multiline: true,
  });
}

function checkSchemaJson(schemaJson: string): readonly Violation[] {
  const field = '/schema';
  const bytes = new TextEncoder().encode(schemaJson);
  if (bytes.length > eventTypeLimits.schemaBytes) {
    const message = `A schema may have at most ${eventTypeLimits.schemaBytes} bytes; this one has ${bytes.length}.`;
    return [{ field, code: 'too_large', message }];
  }
  const scanned = scanObject(bytes);
  if (!scanned.ok && scanned.problem.code === 'too_deep') {
    return [{ field, code: 'too_deep', message: `A schema may be nested at most ${maxJsonDepth} deep.` }];
  }
  const notAnObject = [{ field, code: 'invalid_format', message: 'A schema is a JSON object.' }];
  try {
    return isRecord(JSON.parse(schemaJson)) ? [] : notAnObject;
  } catch {
    return notAnObject;
  }
}
