import type { Principal } from '@posthorn/models';

/** The gateway on its own behalf: for looking up who a caller is, before there is a principal to speak for. */
export const gatewayPrincipal: Principal = {
  kind: 'service',
  id: 'gateway',
  organisationId: null,
  scopes: ['*'],
};
