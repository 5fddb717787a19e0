import { eventFromRecord, eventToRecord } from '@posthorn/contracts';
import type { Event } from '@posthorn/models';
import type { KafkaMessage, Message } from 'kafkajs';
import type { LoggedEvent, UndecodableRecord } from '../event-log.ts';

/**
 * What an event is put into its partition by: its ordering key, else its id. The organisation is a part of an ordering key,
 * or all tenants that order by "1" would share a partition.
 */
export function keyOf({ id, organisationId, orderingKey }: Event): Buffer {
  return Buffer.from(orderingKey === null ? id : `${organisationId}/${orderingKey}`);
}

/** An event as a message: a protobuf record, with headers for those who look at the topic without it. */
export function messageOf(
  event: Event,
  key: Buffer,
  partition: number,
): Message & { readonly value: Buffer } {
  const record = eventToRecord(event);
  return {
    key,
    value: Buffer.from(record.buffer, record.byteOffset, record.byteLength),
    partition,
    headers: {
      'event-type': event.type,
      ...(event.traceparent !== null && { traceparent: event.traceparent }),
    },
  };
}

/** About as many as it takes in a request. */
export function bytesOf({ key, value }: Message): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headerBytes;
}

/** Of the headers and of the record's own fields. */
const headerBytes = 128;

export type ReadMessage =
  | { readonly logged: LoggedEvent; readonly undecodable?: undefined }
  | { readonly logged?: undefined; readonly undecodable: UndecodableRecord };

/** The event of a message, or the message itself with the reason why it holds none. Never throws. */
export function readMessage(message: Pick<KafkaMessage, 'value'>, position: number): ReadMessage {
  const { value } = message;
  try {
    if (value === null) throw new Error('the message is empty');
    return { logged: { position, event: eventFromRecord(value) } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { undecodable: { position, bytes: new Uint8Array(value ?? []), reason } };
  }
}
