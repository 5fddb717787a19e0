/**
 * Every answer names its request: the caller's own `X-Request-Id` when it is a sane one, else a new one. The header of the
 * response is where it is kept from then on, so that every layer finds it without passing it along.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '@posthorn/runtime';

const headerName = 'X-Request-Id';

/** What we take over from a caller: it ends up in logs and in answers. */
const acceptable = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** Names the requests of one process. */
export function createRequestIds(random: Random): (req: IncomingMessage, res: ServerResponse) => void {
  // Unique without a draw of random bytes for each request: a random process part, then a counter.
  const prefix = Buffer.from(random.bytes(9)).toString('base64url');
  let count = 0;
  return (req, res) => {
    const given = req.headers['x-request-id'];
    const id =
      typeof given === 'string' && acceptable.test(given) ? given : `${prefix}-${(++count).toString(36)}`;
    res.setHeader(headerName, id);
  };
}

/** The id that the request was given. */
export function requestIdOf(res: ServerResponse): string {
  const id = res.getHeader(headerName);
  return typeof id === 'string' ? id : '';
}
