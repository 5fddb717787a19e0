/** How large an event may be. The gateway and event-ingest are told the same. */
import { bytes } from '../config-parsers.ts';
import { configEntry } from '../config-reader.ts';

export const payloadConfig = {
  maxEventBytes: configEntry({
    env: 'POSTHORN_MAX_EVENT_BYTES',
    parser: bytes({ min: 1_024, max: 16 * 2 ** 20 }),
    default: 256 * 1_024,
    description:
      'The largest event that is accepted, as the bytes of its JSON. A larger one is answered with 413.',
  }),
} as const;
