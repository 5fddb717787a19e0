import type { DomainError } from '@posthorn/models';
import { useServers } from './server.harness.ts';
import { failureOf, ingestService, options, request } from '../transport.harness.ts';

const { serve, connect } = useServers();

describe('a client', () => {
  it('fails with unavailable, long before its deadline, when nobody listens', async () => {
    const { server, port } = await serve();
    await server.stop(0);
    const startedAt = performance.now();

    const error = await failureOf(connect(port).publish(request(), { ...options, deadlineMs: 10_000 }));

    expect(error).toMatchObject({
      code: 'unavailable',
      message: 'A service that is needed is not available right now.',
    });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('finds the server again after it came back', async () => {
    const { server, port } = await serve();
    const client = connect(port, { waitForReady: true });
    await client.publish(request(), options);
    await server.stop(0);

    await serve({ port });

    expect(await client.publish(request(), options)).toEqual({ accepted: undefined });
  });

  it('tells the caller of a stream when the server dies', async () => {
    const { server, port } = await serve({
      services: [
        ingestService({
          publishStream: (call) =>
            call.onMessage((message) => void call.send({ sequence: message.sequence, result: undefined })),
        }),
      ],
    });
    const stream = connect(port).publishStream(options);
    const closed = new Promise<DomainError | null>((resolve) => stream.onClose(resolve));
    stream.onMessage(() => void server.stop(0));
    stream.send({ sequence: 1n, event: undefined });

    expect(await closed).toMatchObject({ code: 'unavailable' });
  });
});
