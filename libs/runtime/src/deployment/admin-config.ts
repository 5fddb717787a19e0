/** The port on which a process is looked after. */
import { integer, text } from '../config-parsers.ts';
import { configEntry } from '../config-reader.ts';

export const adminConfig = {
  adminHost: configEntry({
    env: 'POSTHORN_ADMIN_HOST',
    parser: text({ maxLength: 255 }),
    default: '127.0.0.1',
    description: 'The address of the admin port.',
  }),
  adminPort: configEntry({
    env: 'POSTHORN_ADMIN_PORT',
    parser: integer({ min: 0, max: 65_535 }),
    default: 9_464,
    description:
      'The port of `/livez`, `/readyz` and `/metrics`; 0 for any free one. Not for outsiders: it asks for no key.',
  }),
} as const;
