/**
 * A webhook client and the real servers of this machine that it is tried on, for the specs of this folder and its neighbour:
 * whatever a test starts is stopped after it.
 */
import type { Socket } from 'node:net';
import { createAllowList } from '@posthorn/models';
import { createTargetResolver, systemClock } from '@posthorn/runtime';
import {
  startNameServer,
  startReceiver,
  startTcpReceiver,
  type Listening,
  type NameServer,
  type Receiver,
  type ReceiverOptions,
  type Zone,
} from '@posthorn/testing';
import {
  createWebhookClient,
  type Exchange,
  type WebhookClient,
  type WebhookClientOptions,
  type WebhookRequest,
} from '../webhook-client.ts';

export interface ClientOptions extends Partial<WebhookClientOptions> {
  /** What may be reached; the loopback addresses when absent. */
  readonly allow?: readonly string[];
  readonly dnsServers?: readonly string[];
}

export interface TestClient {
  readonly client: WebhookClient;
  /** Sends a small body for an organisation, with ten seconds of time, but for what is given. */
  send(url: string, request?: Partial<WebhookRequest>): Promise<Exchange>;
}

/** Ways to start things that are stopped after the test in which they were started. */
export interface Receivers {
  startClient(options?: ClientOptions): TestClient;
  start(options?: ReceiverOptions | ReceiverOptions['behaviour']): Promise<Receiver>;
  /** A server that needn't speak HTTP, with the URL under which it is to be asked. */
  startTcp(
    onConnection: (socket: Socket, number: number) => void,
    host?: string,
    port?: number,
  ): Promise<Listening & { readonly url: string }>;
  startZone(zone: Zone, ttlSeconds?: number): Promise<NameServer>;
}

/** To be called once at the top of a spec. */
export function setUpReceivers(): Receivers {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  function closeLater<T extends { close(): Promise<void> }>(started: T): T {
    closers.push(() => started.close());
    return started;
  }

  return {
    startClient({ allow = ['127.0.0.0/8', '::1/128'], dnsServers = ['127.0.0.1:9'], ...options } = {}) {
      const resolver = createTargetResolver({
        allow: createAllowList(allow),
        clock: options.clock ?? systemClock,
        dnsServers,
      });
      const client = createWebhookClient({
        resolver,
        clock: systemClock,
        userAgent: 'Posthorn/test',
        ...options,
      });
      closers.push(async () => {
        resolver.close();
        await client.close();
      });
      const send: TestClient['send'] = async (url, request = {}) => {
        const exchange = await client.send({
          url,
          organisationId: 'o1',
          headers: ['webhook-id', 'msg_1'],
          body: Buffer.from('{"a":1}'),
          timeoutMs: 10_000,
          ...request,
        });
        if (exchange === null) throw new Error('it was not sent');
        return exchange;
      };
      return { client, send };
    },
    async start(options = {}) {
      return closeLater(await startReceiver(typeof options === 'object' ? options : { behaviour: options }));
    },
    async startTcp(onConnection, host = '127.0.0.1', port = 0) {
      const receiver = closeLater(await startTcpReceiver(onConnection, host, port));
      return Object.assign(receiver, { url: `http://${host}:${receiver.port}/` });
    },
    async startZone(zone, ttlSeconds) {
      return closeLater(await startNameServer(zone, ttlSeconds));
    },
  };
}

/** A whole answer, as it goes over the wire. */
export function okText(headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}content-length: 2\r\n\r\nok`;
}
