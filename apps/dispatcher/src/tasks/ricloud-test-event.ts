import type { Endpoint } from '@posthorn/models';
import { withMicroseconds } from '../envelope/embed.ts';

/** The event that tests a ricloud endpoint. */
export const ricloudTestType = 'webhook_config.test';

/** Its payload: the whole config, but for the secret. */
export function ricloudTestPayload(endpoint: Endpoint): Buffer {
  return Buffer.from(
    JSON.stringify({
      id: endpoint.id,
      resource: 'webhook_config',
      organisation: endpoint.organisationId,
      url: endpoint.url,
      state: configState(endpoint),
      date_created: withMicroseconds(endpoint.createdAt),
    }),
  );
}

/** The name that ricloud has for where an endpoint stands. */
function configState({ state, verification }: Endpoint): string {
  if (state === 'disabled') return 'deactivated';
  return ({ none: 'new', pending: 'new', passed: 'valid', failed: 'invalid' } as const)[verification];
}
