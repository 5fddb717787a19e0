import { servicePrincipal } from '@posthorn/models';

/** The gateway on its own behalf: for looking up who a caller is, before there is a principal to speak for. */
export const gatewayPrincipal = servicePrincipal('gateway');
