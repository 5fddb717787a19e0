import Connection from 'kafkajs/src/network/connection.js';
import metadataResponse, {
  type MetadataResponse,
} from 'kafkajs/src/protocol/requests/metadata/v6/response.js';

/** Mends what kafkajs 2.2.4 does when connections break and when leaders are missing. May be called more than once. */
export function repairKafkajs(): void {
  if (isRepaired) return;
  isRepaired = true;
  repairConnections();
  repairMetadata();
}

let isRepaired = false;

/**
 * When a connection breaks while several callers use it, kafkajs keeps one object for it and its successors, and
 * - each caller that finds it broken connects it: of several sockets the last one counts, but all of them feed one buffer;
 * - the part of a response that came before the break stays in that buffer, and is taken for the beginning of the next;
 * - a disconnection that is under way ends the socket that was connected meanwhile.
 * Each makes responses unreadable: requests hang, or an exception in a socket's handler ends the process. Here concurrent
 * callers share one attempt, which waits for the end of what was before and begins with an empty buffer.
 * `kafka-broken-connections.stack.spec.ts` fails without it.
 */
function repairConnections(): void {
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

/**
 * One partition without a leader makes kafkajs refuse the whole answer to "who leads what", so that after a while nothing is
 * read of any partition. Here only that partition has no leader (-1, as Kafka says it): whoever wants to write to it fails and tries
 * again, it isn't read, and the others go on. Version 6 of the answer is the one that brokers since 2.1 are asked for.
 */
function repairMetadata(): void {
  const { parse } = metadataResponse;
  metadataResponse.parse = (response) => parse(withoutPartitionErrors(response));
}

function withoutPartitionErrors(response: MetadataResponse): MetadataResponse {
  return {
    ...response,
    topicMetadata: response.topicMetadata.map((topic) => ({
      ...topic,
      partitionMetadata: topic.partitionMetadata.map((partition) => ({
        ...partition,
        partitionErrorCode: 0,
      })),
    })),
  };
}
