import type { Violation } from '../errors.ts';
import { checkForm } from '../field-check.ts';

/**
 * Names of event types (`order.paid`: segments divided by dots) and the patterns that endpoints subscribe with: a name, `order.*` for
 * every name below `order`, at any depth, or `*`. Names below `posthorn` are those of operational events: only patterns below
 * `posthorn` match them, never `*`.
 */

/** How long the name of an event type, or a pattern, may be. */
export const maxEventTypeLength = 128;

/** The form of an event type's name, as a regular expression's source for schemas. */
export const eventTypeNamePattern = '^[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)*$';

/** The form of a pattern, as a regular expression's source for schemas. */
export const eventTypePatternPattern = '^(?:\\*|[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)*(?:\\.\\*)?)$';

/** Whether the name is that of an operational event. */
export function isOperationalEventType(name: string): boolean {
  return name.startsWith('posthorn.');
}

/** Whether the pattern (null: everything but operational events) covers the event type. */
export function matchesEventType(pattern: string | null, type: string): boolean {
  if (pattern === null || pattern === '*') return !isOperationalEventType(type);
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

/** The patterns that name an event type: itself, and one for each segment before its last; `*` isn't among them. */
export function patternsNaming(type: string): readonly string[] {
  const segments = type.split('.');
  return segments.map((_, index) =>
    index === 0 ? type : `${segments.slice(0, segments.length - index).join('.')}.*`,
  );
}

/** What is wrong with the name of an event type. */
export function checkEventTypeName(name: string, field: string): readonly Violation[] {
  return checkName(
    name,
    field,
    nameForm,
    'A name is made of letters, digits, _ and - in segments divided by dots.',
  );
}

/** What is wrong with a pattern of event types. */
export function checkEventTypePattern(pattern: string, field: string): readonly Violation[] {
  return checkForm(
    pattern,
    field,
    patternForm,
    'A pattern is the name of an event type, a name and .* after it, or *',
  );
}

const nameForm = new RegExp(eventTypeNamePattern);
const patternForm = new RegExp(eventTypePatternPattern);

function checkName(text: string, field: string, form: RegExp, rule: string): readonly Violation[] {
  if (text.length > maxEventTypeLength) {
    return [{ field, code: 'too_long', message: `At most ${maxEventTypeLength} characters are allowed.` }];
  }
  return checkForm(text, field, form, rule);
}
