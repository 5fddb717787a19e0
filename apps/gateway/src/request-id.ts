/**
 * Every answer names its request: the caller's own `X-Request-Id` when it is a sane one, else a new one. It is known by the
 * response from then on, so that every layer finds it without passing it along; `sendAnswer` writes the header.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '@posthorn/runtime';

const idsByResponse = new WeakMap<ServerResponse, string>();

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
    idsByResponse.set(res, id);
  };
}

/** The id that the request was given. */
export function requestIdOf(res: ServerResponse): string {
  return idsByResponse.get(res) ?? '';
}
