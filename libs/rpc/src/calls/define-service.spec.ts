import { ingestV1 } from '@posthorn/contracts';
import { defineService, type Handlers } from './define-service.ts';

const handlers: Handlers<ingestV1.IngestServiceService> = {
  publish: async () => ({ accepted: undefined }),
  publishBatch: async () => ({ results: [] }),
  publishStream: (call) => call.end(),
};

describe('defining a service', () => {
  it('names it, and registers each method of the definition', () => {
    const service = defineService(ingestV1.IngestServiceService, handlers);

    expect(service.name).toBe('posthorn.ingest.v1.IngestService');
    expect(service.methods.map(({ name, kind }) => [name, kind])).toEqual([
      ['publish', 'unary'],
      ['publishBatch', 'unary'],
      ['publishStream', 'stream'],
    ]);
  });

  it('refuses a missing handler, by type and at once', () => {
    const { publishBatch: _, ...rest } = handlers;

    // @ts-expect-error publishBatch is missing
    expect(() => defineService(ingestV1.IngestServiceService, rest)).toThrow('PublishBatch');
  });

  it('refuses by type a handler that answers something else', () => {
    const service = defineService(ingestV1.IngestServiceService, {
      ...handlers,
      // @ts-expect-error the answer has no results
      publishBatch: async () => ({ accepted: undefined }),
    });

    expect(service.methods).toHaveLength(3);
  });
});
