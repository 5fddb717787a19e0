import { status as Code } from '@grpc/grpc-js';
import { grpcReflectionV1 } from '@posthorn/contracts';
import { createNetworkClient } from './network-client.ts';
import { useServers } from './server.harness.ts';
import { options } from '../transport.harness.ts';

const { serve, defer } = useServers();

describe('reflection', () => {
  type Question = grpcReflectionV1.ServerReflectionRequest['messageRequest'];

  async function ask(port: number, messageRequest: Question) {
    const client = createNetworkClient(grpcReflectionV1.ServerReflectionService, `127.0.0.1:${port}`);
    defer(() => client.close());
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
    expect(names[0]).toBe('posthorn/ingest/v1/ingest.proto');
    expect(names).toContain('google/protobuf/timestamp.proto');
    expect(new Set(names).size).toBe(names.length);
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
