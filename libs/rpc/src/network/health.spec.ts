import { Metadata, status as Code, type Client } from '@grpc/grpc-js';
import { grpcHealthV1 } from '@posthorn/contracts';
import { callBare, statusOf, useServers } from './server.harness.ts';

const { serve, connectBare } = useServers();

describe('health', () => {
  const check = (client: Client, service: string) =>
    callBare(client, grpcHealthV1.HealthService.check, { service });
  const { SERVING, NOT_SERVING } = grpcHealthV1.HealthCheckResponse_ServingStatus;

  it('answers without authentication, for the server and for each service, as it was set', async () => {
    const { server, port } = await serve();
    const client = connectBare(port);

    expect(await check(client, '')).toEqual({ status: NOT_SERVING });
    server.setServing(true);
    expect(await check(client, '')).toEqual({ status: SERVING });
    expect(await check(client, 'posthorn.ingest.v1.IngestService')).toEqual({ status: SERVING });
    expect(await statusOf(check(client, 'no.such.Service'))).toMatchObject({ code: Code.NOT_FOUND });
  });

  it('lists the server and its services', async () => {
    const { server, port } = await serve();
    server.setServing(true);

    const list = await callBare(connectBare(port), grpcHealthV1.HealthService.list, {});

    expect(list).toEqual({
      statuses: { '': { status: SERVING }, 'posthorn.ingest.v1.IngestService': { status: SERVING } },
    });
  });

  it('tells whoever watches of each change, and lets the server stop', async () => {
    const { server, port } = await serve();
    const { path, requestSerialize, responseDeserialize } = grpcHealthV1.HealthService.watch;
    const watch = connectBare(port).makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { service: '' },
      new Metadata(),
    );
    const statuses: number[] = [];
    const ended = new Promise((resolve) => watch.on('end', resolve));
    await new Promise<void>((resolve) =>
      watch.on('data', ({ status }: grpcHealthV1.HealthCheckResponse) => {
        statuses.push(status);
        if (statuses.length === 1) server.setServing(true);
        else resolve();
      }),
    );

    await server.stop(10_000);
    await ended;

    expect(statuses).toEqual([NOT_SERVING, SERVING, NOT_SERVING]);
  });
});
