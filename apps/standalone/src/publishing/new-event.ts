/**
 * What is sent for one event. The payload's text is put into the request as it was given, never parsed and printed again,
 * and every event has an id before it is sent for the first time: sent again after a broken connection, it is the same event.
 */

/** Everything of an event but its payload. */
export interface EventFields {
  readonly type: string;
  readonly id?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly occurredAt?: string | undefined;
  readonly deliverAt?: string | undefined;
  readonly subject?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** An event ready to be sent. */
export interface NewEvent {
  /** JSON text on one line or several, as the API takes it. */
  readonly json: string;
  /**
   * True when its identity (an id or an idempotency key) is the producer's own: `duplicate` then means that it was published
   * before. False when the id was minted here: `duplicate` then means that an earlier try had arrived.
   */
  readonly isKeyed: boolean;
}

/** Builds an event of its fields and the JSON text of its payload. Throws SyntaxError when the payload isn't JSON. */
export function eventOfPayload(payload: string, fields: EventFields, mintId: () => string): NewEvent {
  const isKeyed = fields.id !== undefined || fields.idempotencyKey !== undefined;
  return { json: objectWithData({ ...fields, ...(!isKeyed && { id: mintId() }) }, payload), isKeyed };
}

/** A JSON object of some members and `data`, whose text is kept as it is. Throws SyntaxError when `data` isn't JSON. */
export function objectWithData(members: Readonly<Record<string, unknown>>, data: string): string {
  JSON.parse(data);
  const rest = JSON.stringify(members).slice(1, -1);
  return `{${rest}${rest === '' ? '' : ','}"data":${data}}`;
}

/**
 * Takes a whole event as JSON text, and gives it an id when it has none of its own. Throws SyntaxError when it isn't JSON,
 * and TypeError when it isn't an object.
 */
export function eventOfText(text: string, mintId: () => string): NewEvent {
  const event: unknown = JSON.parse(text);
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new TypeError('An event is a JSON object.');
  }
  const isKeyed = 'id' in event || 'idempotencyKey' in event;
  if (isKeyed) return { json: text, isKeyed };
  const members = text.trim().slice(1);
  const separator = Object.keys(event).length > 0 ? ',' : '';
  return { json: `{"id":${JSON.stringify(mintId())}${separator}${members}`, isKeyed };
}
