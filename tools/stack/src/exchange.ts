import { connect } from 'node:net';

export interface Peer {
  readonly host: string;
  readonly port: number;
}

const silenceLimitMs = 5_000;

/**
 * Connects, sends one request, and answers with the reply.
 *
 * @param replyLength how many bytes the reply has, told by its first four
 * @throws Error when nobody listens, the connection is closed before the whole reply is here, or nothing comes for 5 s
 */
export async function exchange(
  { host, port }: Peer,
  request: Buffer,
  replyLength: (firstFour: Buffer) => number,
): Promise<Buffer> {
  const socket = connect({ host, port });
  socket.setTimeout(silenceLimitMs, () => socket.destroy(new Error(`${host}:${port} doesn't answer`)));
  socket.write(request);
  let reply = Buffer.alloc(0);
  // Leaving the loop, however that happens, destroys the socket.
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    reply = Buffer.concat([reply, chunk]);
    if (reply.length >= 4 && reply.length >= replyLength(reply)) return reply;
  }
  throw new Error(`${host}:${port} closed the connection`);
}
