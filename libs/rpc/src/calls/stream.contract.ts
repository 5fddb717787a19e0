/** What every transport must do with a bidirectional stream. */
import { ingestV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import type { CallContext } from './call-context.ts';
import type { ClientStream } from './stream.ts';
import {
  aborted,
  ingestService,
  options,
  principal,
  type IngestClient,
  type IngestHandlers,
  type OpenedService,
  type OpenTransport,
} from '../transport.harness.ts';

type Stream = ClientStream<ingestV1.PublishStreamRequest, ingestV1.PublishStreamResponse>;

/** Everything that a stream tells its caller, until it is over. */
function follow(stream: Stream): Promise<{ sequences: bigint[]; error: DomainError | null }> {
  const sequences: bigint[] = [];
  return new Promise((resolve) => {
    stream.onMessage((message) => void sequences.push(message.sequence));
    stream.onClose((error) => resolve({ sequences, error }));
  });
}

const ask = (sequence: number): ingestV1.PublishStreamRequest => ({
  sequence: BigInt(sequence),
  event: undefined,
});
const acknowledge = (sequence: bigint): ingestV1.PublishStreamResponse => ({ sequence, result: undefined });
const upTo = (count: number): bigint[] => Array.from({ length: count }, (_, index) => BigInt(index));
const largeEvent = ingestV1.NewEvent.fromPartial({ data: Buffer.alloc(1_000, 'x') });

/** Registers the tests for one transport. */
export function describeStreams(openTransport: OpenTransport): void {
  describe('streams', () => {
    let opened: OpenedService;
    async function open(handlers: Partial<IngestHandlers>): Promise<IngestClient> {
      opened = await openTransport(ingestService(handlers));
      return opened.client;
    }
    afterEach(() => opened.close());

    it('acknowledges each message as it comes, in order, and ends well', async () => {
      const client = await open({
        publishStream(call) {
          call.onMessage((message) => void call.send(acknowledge(message.sequence)));
          call.onEnd(() => call.end());
        },
      });

      const stream = client.publishStream(options);
      const followed = follow(stream);
      for (let sequence = 0; sequence < 2_000; sequence++) stream.send(ask(sequence));
      stream.end();

      expect(await followed).toEqual({ sequences: upTo(2_000), error: null });
    });

    it('tells the handler who calls, and sets no deadline unless the caller does', async () => {
      let ctx: CallContext | undefined;
      const client = await open({
        publishStream(call) {
          ctx = call.ctx;
          call.end();
        },
      });

      await follow(client.publishStream({ ...options, requestId: 'request-2' }));

      expect(ctx).toMatchObject({ principal, requestId: 'request-2', deadline: Infinity });
    });

    it('lets answers follow after the caller has ended its side', async () => {
      const client = await open({
        publishStream(call) {
          call.onMessage(() => undefined);
          call.onEnd(() => {
            call.send(acknowledge(1n));
            setImmediate(() => {
              call.send(acknowledge(2n));
              call.end();
            });
          });
        },
      });

      const stream = client.publishStream(options);
      const followed = follow(stream);
      stream.send(ask(0));
      stream.end();

      expect(await followed).toEqual({ sequences: [1n, 2n], error: null });
    });

    it('delivers what was sent before a failure, then the failure with its violations', async () => {
      const violations = [{ field: '/type', code: 'required', message: 'must be set' }];
      const client = await open({
        publishStream(call) {
          call.onMessage((message) => {
            if (message.sequence === 3n) call.fail(DomainError.invalid(violations));
            else call.send(acknowledge(message.sequence));
          });
        },
      });

      const stream = client.publishStream(options);
      const followed = follow(stream);
      for (let sequence = 0; sequence < 6; sequence++) stream.send(ask(sequence));
      const { sequences, error } = await followed;

      expect(sequences).toEqual([0n, 1n, 2n]);
      expect(error).toMatchObject({ code: 'invalid_argument', violations });
    });

    it.each<[string, IngestHandlers['publishStream']]>([
      [
        'throws at once',
        () => {
          throw new Error('swordfish');
        },
      ],
      ['rejects', () => Promise.reject(new Error('swordfish'))],
      [
        'throws at a message',
        (call) =>
          call.onMessage(() => {
            throw new Error('swordfish');
          }),
      ],
      ['rejects at a message', (call) => call.onMessage(() => Promise.reject(new Error('swordfish')))],
      [
        'throws at the end',
        (call) => {
          call.onMessage(() => undefined);
          call.onEnd(() => {
            throw new Error('swordfish');
          });
        },
      ],
    ])('fails with a bare internal when the handler %s', async (_how, publishStream) => {
      const client = await open({ publishStream });

      const stream = client.publishStream(options);
      const followed = follow(stream);
      stream.send(ask(0));
      stream.end();
      const { error } = await followed;

      expect(error?.code).toBe('internal');
      expect(JSON.stringify([error?.message, error?.stack, error?.cause])).not.toContain('swordfish');
    });

    it('tells the handler when the caller hangs up, and aborts its signal', async () => {
      const controller = new AbortController();
      const events: string[] = [];
      let closed: Promise<void> = Promise.resolve();
      let reason: Promise<unknown> = Promise.resolve();
      const client = await open({
        publishStream(call) {
          reason = aborted(call.ctx.signal);
          closed = new Promise((resolve) => call.onClose(resolve));
          call.onEnd(() => void events.push('end'));
          call.onMessage(() => controller.abort());
        },
      });

      const stream = client.publishStream({ ...options, signal: controller.signal });
      const followed = follow(stream);
      stream.send(ask(0));
      const { error } = await followed;
      await closed;

      expect(error).toMatchObject({
        code: 'unavailable',
        message: 'The call was cancelled by its caller.',
      });
      expect(await reason).toMatchObject({ code: 'unavailable' });
      expect(events).toEqual([]);
      expect(stream.send(ask(1))).toBe(false);
    });

    it('ends with deadline_exceeded when the caller set a deadline', async () => {
      const client = await open({ publishStream: (call) => call.onMessage(() => undefined) });

      const { error } = await follow(client.publishStream({ ...options, deadlineMs: 100 }));

      expect(error?.code).toBe('deadline_exceeded');
    });

    it('tells the handler once that the call is over after it ended it', async () => {
      let closes = 0;
      const client = await open({
        publishStream(call) {
          call.onMessage(() => undefined);
          call.onClose(() => closes++);
          call.end();
          call.end();
          call.fail(new DomainError('internal', 'too late'));
        },
      });

      const { error } = await follow(client.publishStream(options));

      expect(error).toBeNull();
      expect(closes).toBe(1);
    });

    it('closes with an error when a callback of the caller throws', async () => {
      const client = await open({
        publishStream(call) {
          call.onMessage((message) => void call.send(acknowledge(message.sequence)));
        },
      });

      const stream = client.publishStream(options);
      const closed = new Promise<DomainError | null>((resolve) => stream.onClose(resolve));
      stream.onMessage(() => {
        throw new Error('my own mistake');
      });
      stream.send(ask(0));

      expect(await closed).toMatchObject({ code: 'internal', cause: new Error('my own mistake') });
    });

    it('asks the caller to wait while the handler is slow, and loses nothing', async () => {
      const count = 3_000;
      let tellToWait: () => void = () => undefined;
      const toldToWait = new Promise<void>((resolve) => (tellToWait = resolve));
      const received: bigint[] = [];
      const client = await open({
        publishStream(call) {
          call.onMessage(async (message) => {
            received.push(message.sequence);
            if (received.length > 1) return;
            call.pause();
            await toldToWait;
            call.resume();
          });
          call.onEnd(() => call.end());
        },
      });

      const stream = client.publishStream(options);
      const followed = follow(stream);
      let sent = 0;
      const sendMore = (): void => {
        while (sent < count) if (!stream.send({ ...ask(sent++), event: largeEvent })) return tellToWait();
        stream.end();
      };
      stream.onDrain(sendMore);
      sendMore();
      await Promise.all([toldToWait, followed]);

      expect(received).toEqual(upTo(count));
    });

    it('asks the handler to wait while the caller is slow, and loses nothing', async () => {
      const count = 3_000;
      let waits = 0;
      const client = await open({
        publishStream(call) {
          let sent = 0n;
          const sendMore = (): void => {
            while (sent < count) if (!call.send(acknowledge(sent++))) return void waits++;
            call.end();
          };
          call.onMessage(sendMore);
          call.onDrain(sendMore);
        },
      });

      const stream = client.publishStream(options);
      const followed = follow(stream);
      stream.pause();
      stream.send(ask(0));
      setImmediate(() => stream.resume());

      expect(await followed).toEqual({ sequences: upTo(count), error: null });
      expect(waits).toBeGreaterThan(0);
    });
  });
}
