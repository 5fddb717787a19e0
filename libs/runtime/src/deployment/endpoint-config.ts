/** What becomes of endpoints that their owners leave alone. */
import { durationMs } from '../config-parsers.ts';
import { configEntry } from '../config-reader.ts';

const dayMs = 86_400_000;

export const endpointConfig = {
  disableAfterMs: configEntry({
    env: 'POSTHORN_DISABLE_AFTER_MS',
    parser: durationMs({ min: 0, max: 90 * dayMs }),
    default: 5 * dayMs,
    description:
      'How long an endpoint may fail without a single success before it is disabled; 0: it is left on however long. Endpoints of other dialects have rules of their own.',
  }),
} as const;
