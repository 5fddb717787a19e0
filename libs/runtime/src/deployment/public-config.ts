/** Where the platform is reached from outside: the gateway's links and those in deliveries begin with it. */
import { url } from '../config-parsers.ts';
import { configEntry } from '../config-reader.ts';

export const publicConfig = {
  publicUrl: configEntry<string, string | null>({
    env: 'POSTHORN_PUBLIC_URL',
    parser: url,
    default: null,
    defaultText: 'the address that is listened on',
    description: 'Where the REST API is reached from outside: every link of ours begins with it.',
  }),
} as const;
