/**
 * What every transport must do, so that a service doesn't know how it is reached. Run over each of them by
 * `in-process.spec.ts` and `network.spec.ts`.
 */
import { ingestV1 } from '@posthorn/contracts';
import { DomainError, errorCodes, type Principal } from '@posthorn/models';
import type { CallContext, CallOptions } from './call-context.ts';
import type { Client } from './client.ts';
import { defineService, type Handlers, type ServiceRegistration } from './define-service.ts';
import type { ClientStream } from './stream.ts';

type Definition = ingestV1.IngestServiceService;
export type IngestRegistration = ServiceRegistration<Definition>;
export type IngestClient = Client<Definition>;

/** Brings a service up behind a transport; `logLines` are the lines that were logged so far. */
export type OpenTransport = (registration: IngestRegistration) => Promise<{
  readonly client: IngestClient;
  readonly metrics: () => Promise<string>;
  readonly logLines: readonly string[];
  readonly close: () => Promise<void>;
}>;

export const principal: Principal = {
  kind: 'key',
  id: 'key-1',
  organisationId: 'organisation-1',
  scopes: ['events:write', 'deliveries:read'],
};

/** A service of which each test says only what it is about. */
export function ingestService(handlers: Partial<Handlers<Definition>>): IngestRegistration {
  const unexpected = async (): Promise<never> => Promise.reject(new Error('not part of this test'));
  return defineService(ingestV1.IngestServiceService, {
    publish: unexpected,
    publishBatch: unexpected,
    publishStream: unexpected,
    ...handlers,
  });
}

export const request = (id = 'event-1'): ingestV1.PublishRequest =>
  ingestV1.PublishRequest.fromPartial({ event: { id, type: 'order.paid', data: Buffer.from('{"n":1.0}') } });
const accepted = (id: string): ingestV1.PublishResponse =>
  ingestV1.PublishResponse.fromPartial({ accepted: { id, acceptedAt: new Date(1_700_000_000_123) } });

/** Resolves when the signal aborts, with its reason. */
function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}

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

/** Registers the suite for one transport. */
export function describeTransport(name: string, openTransport: OpenTransport): void {
  describe(`a service ${name}`, () => {
    let opened: Awaited<ReturnType<OpenTransport>>;
    const options: CallOptions = { principal };

    async function open(handlers: Partial<Handlers<Definition>>): Promise<IngestClient> {
      opened = await openTransport(ingestService(handlers));
      return opened.client;
    }
    afterEach(() => opened.close());

    async function failureOf(call: Promise<unknown>): Promise<DomainError> {
      const outcome = await call.then(
        () => 'a result',
        (error: unknown) => error,
      );
      if (!(outcome instanceof DomainError)) throw new Error('expected a DomainError', { cause: outcome });
      return outcome;
    }

    describe('unary calls', () => {
      it('hands the request to the handler and its answer to the caller', async () => {
        const seen: ingestV1.PublishRequest[] = [];
        const client = await open({
          publish: async (message) => {
            seen.push(message);
            return accepted('event-1');
          },
        });

        const answer = await client.publish(request(), options);

        expect(answer).toEqual(accepted('event-1'));
        expect(seen[0]?.event?.type).toBe('order.paid');
        expect(Buffer.from(seen[0]?.event?.data ?? []).toString()).toBe('{"n":1.0}');
      });

      it('tells the handler who calls, with the request id, the trace context and the deadline', async () => {
        let ctx: CallContext | undefined;
        const client = await open({
          publish: async (_message, context) => {
            ctx = context;
            return accepted('event-1');
          },
        });
        const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
        const before = Date.now();

        await client.publish(request(), {
          ...options,
          requestId: 'request-1',
          traceparent,
          deadlineMs: 5_000,
        });

        expect(ctx?.principal).toEqual(principal);
        expect(ctx?.requestId).toBe('request-1');
        expect(ctx?.traceparent).toBe(traceparent);
        // The server keeps the last 20 ms for itself.
        expect(ctx?.deadline).toBeLessThanOrEqual(Date.now() + 5_000 - 19);
        expect(ctx?.deadline).toBeGreaterThan(before + 3_000);
        expect(ctx?.signal.aborted).toBe(false);
      });

      it('makes a request id up when the caller has none, and gives a call 10 s', async () => {
        let ctx: CallContext | undefined;
        const client = await open({
          publish: async (_message, context) => {
            ctx = context;
            return accepted('event-1');
          },
        });

        await client.publish(request(), options);

        expect(ctx?.requestId).toMatch(/^[0-9a-f-]{36}$/);
        expect(ctx?.deadline).toBeLessThanOrEqual(Date.now() + 10_000);
        expect(ctx?.deadline).toBeGreaterThan(Date.now() + 8_000);
      });

      it.each(errorCodes)('carries %s with message, violations and wait to the caller', async (code) => {
        const violations = [
          { field: '/eventTypes/0', code: 'pattern', message: 'must not be empty: “ü”' },
          { field: '?limit', code: 'maximum', message: 'must be at most 250' },
        ];
        const client = await open({
          publish: () =>
            Promise.reject(new DomainError(code, 'What is wrong: “ü”', { violations, retryAfterMs: 1_234 })),
        });

        const error = await failureOf(client.publish(request(), options));

        expect(error).toMatchObject({ code, message: 'What is wrong: “ü”', violations, retryAfterMs: 1_234 });
      });

      it('carries an error to the caller although its text is half a character', async () => {
        const client = await open({
          publish: () => Promise.reject(new DomainError('not_found', 'No \ud83d here.')),
        });

        expect(await failureOf(client.publish(request(), options))).toMatchObject({ code: 'not_found' });
      });

      it('takes any text for a request id', async () => {
        const client = await open({ publish: async () => accepted('event-1') });

        const answer = await client.publish(request(), { ...options, requestId: 'ü\n\ud83d' });

        expect(answer).toEqual(accepted('event-1'));
      });

      it('leaves violations and wait away when the error has none', async () => {
        const client = await open({ publish: () => Promise.reject(new DomainError('not_found', 'Gone.')) });

        const error = await failureOf(client.publish(request(), options));

        expect(error.violations).toEqual([]);
        expect(error.retryAfterMs).toBeUndefined();
      });

      it.each<[string, () => Promise<ingestV1.PublishResponse>]>([
        ['rejects with an error', () => Promise.reject(new Error('password is swordfish'))],
        ['rejects with a string', () => Promise.reject('password is swordfish')],
        [
          'throws before its first await',
          () => {
            throw new Error('password is swordfish');
          },
        ],
        [
          'fails with a private cause',
          () =>
            Promise.reject(
              new DomainError('internal', 'Something went wrong on our side.', {
                cause: new Error('password is swordfish'),
              }),
            ),
        ],
      ])('answers a bare internal when the handler %s', async (_how, publish) => {
        const client = await open({ publish });

        const error = await failureOf(client.publish(request(), options));

        expect(error.code).toBe('internal');
        expect(error.message).toBe('Something went wrong on our side.');
        expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain('swordfish');
      });

      it('logs an internal error with its cause and the request id', async () => {
        const client = await open({ publish: () => Promise.reject(new Error('the disk is on fire')) });

        await failureOf(client.publish(request(), { ...options, requestId: 'request-7' }));

        const warning = opened.logLines.find((line) => line.includes('"level":"warn"'));
        expect(warning).toContain('the disk is on fire');
        expect(warning).toContain('request-7');
        expect(warning).toContain('/posthorn.ingest.v1.IngestService/Publish');
      });

      it('counts and times calls by method and code', async () => {
        let fails = false;
        const client = await open({
          publish: async () => {
            if (fails) throw new DomainError('not_found', 'Gone.');
            return accepted('event-1');
          },
        });

        await client.publish(request(), options);
        await client.publish(request(), options);
        fails = true;
        await failureOf(client.publish(request(), options));

        const metrics = await opened.metrics();
        const count = (code: string): string =>
          `posthorn_rpc_duration_seconds_count{method="/posthorn.ingest.v1.IngestService/Publish",code="${code}"}`;
        expect(metrics).toContain(`${count('ok')} 2`);
        expect(metrics).toContain(`${count('not_found')} 1`);
      });

      it('answers deadline_exceeded when the handler hangs, and aborts its signal', async () => {
        let reason: Promise<unknown> = Promise.resolve();
        const client = await open({
          publish: (_message, ctx) => {
            reason = aborted(ctx.signal);
            return new Promise(() => undefined);
          },
        });

        const error = await failureOf(client.publish(request(), { ...options, deadlineMs: 100 }));

        expect(error.code).toBe('deadline_exceeded');
        expect(await reason).toMatchObject({ code: 'deadline_exceeded' });
      });

      it('hangs up when the caller does, and aborts the signal of the handler', async () => {
        const controller = new AbortController();
        let reason: Promise<unknown> = Promise.resolve();
        const client = await open({
          publish: (_message, ctx) => {
            reason = aborted(ctx.signal);
            controller.abort();
            return new Promise(() => undefined);
          },
        });

        const error = await failureOf(client.publish(request(), { ...options, signal: controller.signal }));

        expect(error).toMatchObject({
          code: 'unavailable',
          message: 'The call was cancelled by its caller.',
        });
        expect(await reason).toMatchObject({ code: 'unavailable' });
      });

      it('does not call the handler for a caller that has hung up before', async () => {
        let called = false;
        const client = await open({
          publish: async () => {
            called = true;
            return accepted('event-1');
          },
        });

        const error = await failureOf(client.publish(request(), { ...options, signal: AbortSignal.abort() }));

        expect(error.code).toBe('unavailable');
        expect(called).toBe(false);
      });
    });

    describe('streams', () => {
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

      it.each<[string, Handlers<Definition>['publishStream']]>([
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
  });
}

const largeEvent = ingestV1.NewEvent.fromPartial({ data: Buffer.alloc(1_000, 'x') });
