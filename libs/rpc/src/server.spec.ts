import {
  Client as GrpcClient,
  Metadata,
  credentials,
  status as Code,
  type ServiceError,
} from '@grpc/grpc-js';
import { configV1, grpcHealthV1, grpcReflectionV1, ingestV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import type { MethodDefinition } from './define-service.ts';
import { createNetworkClient, type NetworkClientOptions } from './network-client.ts';
import { encodePrincipal, principalFromMetadata, principalKey } from './principal.ts';
import { createRpcServer, type RpcServer, type RpcServerOptions } from './server.ts';
import { ingestService, principal, request } from './transport.contract.ts';

const { IngestServiceService } = ingestV1;
const options = { principal };

let releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.reverse()) await release();
  releases = [];
});

async function serve(
  overrides: Partial<RpcServerOptions> = {},
): Promise<{ server: RpcServer; port: number }> {
  const server = createRpcServer({
    services: [ingestService({ publish: async () => ({ accepted: undefined }) })],
    authenticate: principalFromMetadata,
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
    metrics: createMetrics(),
    ...overrides,
  });
  const port = await server.start();
  releases.push(() => server.stop(0));
  return { server, port };
}

function connect(port: number, clientOptions?: NetworkClientOptions) {
  const client = createNetworkClient(IngestServiceService, `127.0.0.1:${port}`, clientOptions);
  releases.push(() => client.close());
  return client;
}

/** A client without any of our wrappers. */
function connectBare(port: number): GrpcClient {
  const client = new GrpcClient(`127.0.0.1:${port}`, credentials.createInsecure());
  releases.push(() => client.close());
  return client;
}

function callBare<Response>(
  client: GrpcClient,
  method: Omit<MethodDefinition, 'responseDeserialize'> & { responseDeserialize(bytes: Buffer): Response },
  message: unknown,
  metadata = new Metadata(),
): Promise<Response> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      message,
      metadata,
      { deadline: Date.now() + 5_000 },
      (error, response) => (response === undefined ? reject(error) : resolve(response)),
    );
  });
}

function withPrincipal(): Metadata {
  const metadata = new Metadata();
  metadata.set(principalKey, encodePrincipal(principal));
  return metadata;
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'a result',
    (error: unknown) => error,
  );
}

describe('a server', () => {
  it('refuses a call that names no principal, in words of its own', async () => {
    const { port } = await serve();

    const error = (await failureOf(
      callBare(connectBare(port), IngestServiceService.publish, request()),
    )) as ServiceError;

    expect(error.code).toBe(Code.UNAUTHENTICATED);
    expect(error.details).toBe('The call names no principal.');
  });

  it.each(['not base64 JSON', Buffer.from('{"kind":"key","id":"k"}').toString('base64url')])(
    'refuses the malformed principal %s',
    async (value) => {
      const { port } = await serve();
      const metadata = new Metadata();
      metadata.set(principalKey, value);

      const error = await failureOf(
        callBare(connectBare(port), IngestServiceService.publish, request(), metadata),
      );

      expect(error).toMatchObject({ code: Code.UNAUTHENTICATED });
    },
  );

  it('lets its own authentication decide who calls, for unary calls and streams', async () => {
    const service = { kind: 'service', id: 'from-token', organisationId: null, scopes: ['*'] } as const;
    const seen: string[] = [];
    const { port } = await serve({
      authenticate: async (get) => {
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

    const error = (await failureOf(
      callBare(connectBare(port), garbage, {}, withPrincipal()),
    )) as ServiceError;

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

    const error = await failureOf(
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

    await expect(serve({ port })).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}.`);
  });
});

describe('health', () => {
  const check = (client: GrpcClient, service: string) =>
    callBare(client, grpcHealthV1.HealthService.check, { service });
  const { SERVING, NOT_SERVING } = grpcHealthV1.HealthCheckResponse_ServingStatus;

  it('answers without authentication, for the server and for each service, as it was set', async () => {
    const { server, port } = await serve();
    const client = connectBare(port);

    expect(await check(client, '')).toEqual({ status: NOT_SERVING });
    server.setServing(true);
    expect(await check(client, '')).toEqual({ status: SERVING });
    expect(await check(client, 'posthorn.ingest.v1.IngestService')).toEqual({ status: SERVING });
    expect(await failureOf(check(client, 'no.such.Service'))).toMatchObject({ code: Code.NOT_FOUND });
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

describe('reflection', () => {
  type Question = grpcReflectionV1.ServerReflectionRequest['messageRequest'];

  async function ask(port: number, messageRequest: Question) {
    const client = createNetworkClient(grpcReflectionV1.ServerReflectionService, `127.0.0.1:${port}`);
    releases.push(() => client.close());
    const stream = client.serverReflectionInfo(options);
    return new Promise<grpcReflectionV1.ServerReflectionResponse['messageResponse']>((resolve, reject) => {
      stream.onMessage((message) => resolve(message.messageResponse));
      stream.onClose(reject);
      stream.send({ host: '', messageRequest });
      stream.end();
    });
  }

  it('lists what the server offers', async () => {
    const { port } = await serve({ reflection: true });

    const answer = await ask(port, { $case: 'listServices', value: '' });

    expect(answer).toEqual({
      $case: 'listServicesResponse',
      value: {
        service: [
          { name: 'posthorn.ingest.v1.IngestService' },
          { name: 'grpc.health.v1.Health' },
          { name: 'grpc.reflection.v1.ServerReflection' },
        ],
      },
    });
  });

  it.each<[string, Question]>([
    ['service', { $case: 'fileContainingSymbol', value: 'posthorn.ingest.v1.IngestService' }],
    ['method', { $case: 'fileContainingSymbol', value: 'posthorn.ingest.v1.IngestService.Publish' }],
    ['message', { $case: 'fileContainingSymbol', value: 'posthorn.ingest.v1.NewEvent' }],
    ['file', { $case: 'fileByFilename', value: 'posthorn/ingest/v1/ingest.proto' }],
  ])('gives the descriptor for a %s, with what it depends on', async (_what, question) => {
    const { port } = await serve({ reflection: true });

    const answer = await ask(port, question);

    if (answer?.$case !== 'fileDescriptorResponse')
      throw new Error('expected descriptors', { cause: answer });
    const names = answer.value.fileDescriptorProto.map((bytes) =>
      Buffer.from(bytes)
        .subarray(2, 2 + (bytes[1] ?? 0))
        .toString(),
    );
    expect(names).toEqual(['posthorn/ingest/v1/ingest.proto', 'google/protobuf/timestamp.proto']);
  });

  it('says so when there is no such symbol', async () => {
    const { port } = await serve({ reflection: true });

    const answer = await ask(port, { $case: 'fileContainingSymbol', value: 'posthorn.Nothing' });

    expect(answer).toMatchObject({ $case: 'errorResponse', value: { errorCode: Code.NOT_FOUND } });
  });

  it('is not offered unless it is asked for', async () => {
    const { port } = await serve();

    await expect(ask(port, { $case: 'listServices', value: '' })).rejects.toMatchObject({ code: 'internal' });
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
