import { Metadata, status as Code } from '@grpc/grpc-js';
import { configV1, ingestV1 } from '@posthorn/contracts';
import { DomainError, servicePrincipal } from '@posthorn/models';
import { principalKey } from '../calls/principal.ts';
import { callBare, statusOf, useServers, withPrincipal } from './server.harness.ts';
import { failureOf, ingestService, options, request } from '../transport.harness.ts';

const { IngestServiceService } = ingestV1;
const { serve, connect, connectBare } = useServers();

describe('a server', () => {
  it('refuses a call that names no principal, in words of its own', async () => {
    const { port } = await serve();

    const error = await statusOf(callBare(connectBare(port), IngestServiceService.publish, request()));

    expect(error.code).toBe(Code.UNAUTHENTICATED);
    expect(error.details).toBe('The call names no principal.');
  });

  it.each(['not base64 JSON', Buffer.from('{"kind":"key","id":"k"}').toString('base64url')])(
    'refuses the malformed principal %s',
    async (value) => {
      const { port } = await serve();
      const metadata = new Metadata();
      metadata.set(principalKey, value);

      const error = await statusOf(
        callBare(connectBare(port), IngestServiceService.publish, request(), metadata),
      );

      expect(error).toMatchObject({ code: Code.UNAUTHENTICATED });
    },
  );

  it('lets its own authentication decide who calls, for unary calls and streams', async () => {
    const service = servicePrincipal('from-token');
    const seen: string[] = [];
    const { port } = await serve({
      authenticate: async ({ get }) => {
        if (get('authorization') === 'Bearer good') return service;
        throw new DomainError('unauthenticated', 'This key is not known.');
      },
      services: [
        ingestService({
          publish: async (_message, ctx) => {
            seen.push(ctx.principal.id);
            return { accepted: undefined };
          },
          publishStream(call) {
            seen.push(call.ctx.principal.id);
            call.end();
          },
        }),
      ],
    });
    const good = connect(port, { headers: { authorization: 'Bearer good' } });
    const bad = connect(port, { headers: { authorization: 'Bearer bad' } });
    const outcomeOf = (client: typeof good): Promise<DomainError | null> =>
      new Promise((resolve) => {
        const stream = client.publishStream(options);
        stream.onMessage(() => undefined);
        stream.onClose(resolve);
      });

    await good.publish(request(), options);
    expect(await outcomeOf(good)).toBeNull();
    expect(seen).toEqual(['from-token', 'from-token']);

    expect(await failureOf(bad.publish(request(), options))).toMatchObject({ code: 'unauthenticated' });
    expect(await outcomeOf(bad)).toMatchObject({
      code: 'unauthenticated',
      message: 'This key is not known.',
    });
    expect(seen).toHaveLength(2);
  });

  it('answers invalid_argument to bytes that are no message, and shows nothing of its decoder', async () => {
    const { port } = await serve();
    const garbage = { ...IngestServiceService.publish, requestSerialize: () => Buffer.from([0x0a, 0xff]) };

    const error = await statusOf(callBare(connectBare(port), garbage, {}, withPrincipal()));

    expect(error.code).toBe(Code.INVALID_ARGUMENT);
    expect(error.details).toBe('The request could not be decoded.');
  });

  it('answers a bare internal when a handler answers what can not be encoded', async () => {
    const tooLarge = { sequence: 2n ** 70n, result: undefined };
    const { port } = await serve({
      services: [ingestService({ publishStream: (call) => call.onMessage(() => void call.send(tooLarge)) })],
    });

    const stream = connect(port).publishStream(options);
    const closed = new Promise<DomainError | null>((resolve) => stream.onClose(resolve));
    stream.onMessage(() => undefined);
    stream.send({ sequence: 1n, event: undefined });

    expect(await closed).toMatchObject({ code: 'internal', message: 'Something went wrong on our side.' });
  });

  it('answers UNIMPLEMENTED to a service that it does not offer', async () => {
    const { port } = await serve();

    const error = await statusOf(
      callBare(connectBare(port), configV1.KeyServiceService.getKey, configV1.GetKeyRequest.create()),
    );

    expect(error).toMatchObject({ code: Code.UNIMPLEMENTED });
  });

  it('refuses a message over its limit with payload_too_large', async () => {
    const { port } = await serve({ maxMessageBytes: 10_000 });
    const data = Buffer.alloc(20_000);

    const error = await failureOf(
      connect(port).publish({ event: ingestV1.NewEvent.fromPartial({ data }) }, options),
    );

    expect(error).toMatchObject({ code: 'payload_too_large' });
  });

  it('takes a message of several megabytes by default', async () => {
    const { port } = await serve();
    const data = Buffer.alloc(8 * 1024 * 1024);

    const answer = connect(port).publish({ event: ingestV1.NewEvent.fromPartial({ data }) }, options);

    expect(await answer).toEqual({ accepted: undefined });
  });

  it('says which address it can not listen on', async () => {
    const { port } = await serve();

    await expect(serve({ port })).rejects.toThrow(
      `on 127.0.0.1:${port}: the port is taken; set POSTHORN_GRPC_PORT`,
    );
  });
});

describe('stopping', () => {
  it('waits for the calls under way, and refuses new ones', async () => {
    let finish: () => void = () => undefined;
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (started = resolve));
    const { server, port } = await serve({
      services: [
        ingestService({
          publish: () =>
            new Promise((resolve) => {
              finish = () => resolve({ accepted: undefined });
              started();
            }),
        }),
      ],
    });
    const answer = connect(port).publish(request(), options);
    await running;

    const stopped = server.stop(10_000);
    const refused = await failureOf(connect(port).publish(request(), options));
    finish();

    expect(refused).toMatchObject({ code: 'unavailable' });
    expect(await answer).toEqual({ accepted: undefined });
    await stopped;
  });

  it('ends what is under way when the grace is over', async () => {
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (started = resolve));
    const { server, port } = await serve({
      services: [
        ingestService({
          publish: () => {
            started();
            return new Promise(() => undefined);
          },
        }),
      ],
    });
    const answer = failureOf(connect(port).publish(request(), options));
    await running;

    await server.stop(50);

    expect(await answer).toMatchObject({ code: 'unavailable' });
  });
});
