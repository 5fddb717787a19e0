import Connection from 'kafkajs/src/network/connection.js';

/**
 * Mends what kafkajs 2.2.4 does when a connection breaks while several callers use it. It keeps one object for a connection
 * and its successors, and
 * - each caller that finds it broken connects it: of several sockets the last one counts, but all of them feed one buffer;
 * - the part of a response that came before the break stays in that buffer, and is taken for the beginning of the next;
 * - a disconnection that is under way ends the socket that was connected meanwhile.
 * Each makes responses unreadable: requests hang, or an exception in a socket's handler ends the process. Here concurrent
 * callers share one attempt, which waits for the end of what was before and begins with an empty buffer.
 * `kafka-broken-connections.stack.spec.ts` fails without it.
 */
export function repairKafkajs(): void {
  if (isRepaired) return;
  isRepaired = true;
  const { connect, disconnect } = Connection.prototype;
  const connecting = new WeakMap<Connection, Promise<unknown>>();
  const disconnecting = new WeakMap<Connection, Promise<unknown>>();

  Connection.prototype.connect = function () {
    return shared(connecting, this, async () => {
      await disconnecting.get(this)?.catch(() => undefined);
      if (!this.isConnected()) {
        this.chunks = [];
        this.bytesBuffered = 0;
        this.bytesNeeded = lengthBytes;
      }
      return connect.call(this);
    });
  };
  Connection.prototype.disconnect = function () {
    return shared(disconnecting, this, () => disconnect.call(this));
  };
}

let isRepaired = false;
/** A response begins with its length. */
const lengthBytes = 4;

function shared<K extends object>(
  underWay: WeakMap<K, Promise<unknown>>,
  key: K,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const known = underWay.get(key);
  if (known !== undefined) return known;
  const promise = work().finally(() => underWay.delete(key));
  underWay.set(key, promise);
  return promise;
}
