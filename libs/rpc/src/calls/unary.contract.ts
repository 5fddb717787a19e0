/** What every transport must do with a call that has one answer. */
import { ingestV1 } from '@posthorn/contracts';
import { DomainError, errorCodes } from '@posthorn/models';
import type { CallContext } from './call-context.ts';
import {
  aborted,
  failureOf,
  ingestService,
  options,
  principal,
  request,
  type IngestClient,
  type IngestHandlers,
  type OpenedService,
  type OpenTransport,
} from '../transport.harness.ts';

const accepted = (id: string): ingestV1.PublishResponse =>
  ingestV1.PublishResponse.fromPartial({ accepted: { id, acceptedAt: new Date(1_700_000_000_123) } });

/** Registers the tests for one transport. */
export function describeUnaryCalls(openTransport: OpenTransport): void {
  describe('unary calls', () => {
    let opened: OpenedService;
    async function open(handlers: Partial<IngestHandlers>): Promise<IngestClient> {
      opened = await openTransport(ingestService(handlers));
      return opened.client;
    }
    afterEach(() => opened.close());

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
        source: { address: '203.0.113.9', userAgent: 'curl/8 “ü”' },
        deadlineMs: 5_000,
      });

      expect(ctx?.principal).toEqual(principal);
      expect(ctx?.requestId).toBe('request-1');
      expect(ctx?.traceparent).toBe(traceparent);
      expect(ctx?.source).toEqual({ address: '203.0.113.9', userAgent: 'curl/8 “ü”' });
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
      [
        'rejects with a string',
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what careless code does
        () => Promise.reject('password is swordfish'),
      ],
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
}
