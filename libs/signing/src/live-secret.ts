import type { Secret } from '@posthorn/models';

/** The newest secret that is live at a time: what signs where a request can carry one signature only. */
export function liveSecret(secrets: readonly Secret[], at: Date): Secret | undefined {
  return secrets
    .filter(({ expiresAt }) => expiresAt === null || expiresAt > at)
    .reduce<Secret | undefined>(
      (newest, secret) => (newest === undefined || secret.createdAt > newest.createdAt ? secret : newest),
      undefined,
    );
}
