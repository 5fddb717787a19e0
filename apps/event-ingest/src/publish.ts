import { ingestV1, refusalToMessage } from '@posthorn/contracts';
import { DomainError, type Principal } from '@posthorn/models';
import { defineService, type Handlers, type ServiceRegistration, type StreamCall } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import type { Accept, AcceptResult, Refused } from './accept.ts';

/**
 * The three ways in, all through the same accept function: one event, a batch with a result for each in order, and a
 * stream that acknowledges each event as it becomes durable. A refused event ends neither its batch nor its stream.
 * A stream that has too much under way isn't read on until half of it is answered. A stream that has lived for long is
 * ended well, so that its caller opens the next one wherever there is room by then.
 */
export interface PublishService {
  readonly handlers: Handlers<typeof ingestV1.IngestServiceService>;
  readonly registration: ServiceRegistration<typeof ingestV1.IngestServiceService>;
  /** Reads nothing more from the streams; resolves when what was read is answered and they are closed. */
  closeStreams(): Promise<void>;
}

const maxBatchEvents = 1000;

type PublishCall = StreamCall<ingestV1.PublishStreamRequest, ingestV1.PublishStreamResponse>;

export interface PublishServiceOptions {
  readonly accept: Accept;
  readonly maxInFlightPerStream: number;
  /** How long a stream lives; without end when Infinity. */
  readonly maxStreamAgeMs: number;
  readonly clock: Clock;
}

export function createPublishService(options: PublishServiceOptions): PublishService {
  const { accept, maxInFlightPerStream, maxStreamAgeMs, clock } = options;
  const open = new Set<PublishStream>();

  function acceptOrRefuse(event: ingestV1.NewEvent | undefined, caller: Principal): Promise<AcceptResult> {
    return event === undefined ? Promise.resolve(missingEvent) : accept(event, caller);
  }

  const handlers: PublishService['handlers'] = {
    async publish({ event }, { principal }) {
      const result = await acceptOrRefuse(event, principal);
      if (result.refused !== undefined) throw result.refused;
      return { accepted: result.accepted };
    },
    async publishBatch({ events }, { principal }) {
      if (events.length > maxBatchEvents) {
        const message = `A batch holds at most ${maxBatchEvents} events.`;
        throw DomainError.invalid([{ field: '/events', code: 'too_many', message }]);
      }
      const results = await Promise.all(events.map((event) => acceptOrRefuse(event, principal)));
      return { results: results.map(resultToMessage) };
    },
    publishStream(call) {
      const stream = servePublishStream(call, acceptOrRefuse, maxInFlightPerStream);
      open.add(stream);
      const ageing = maxStreamAgeMs === Infinity ? undefined : clock.setTimeout(stream.close, maxStreamAgeMs);
      ageing?.unref();
      void stream.closed.then(() => {
        clock.clearTimeout(ageing);
        open.delete(stream);
      });
    },
  };

  return {
    handlers,
    registration: defineService(ingestV1.IngestServiceService, handlers),
    async closeStreams() {
      const streams = [...open];
      for (const stream of streams) stream.close();
      await Promise.all(streams.map(({ closed }) => closed));
    },
  };
}

interface PublishStream {
  /** Reads no more, answers what was read, and ends the stream. */
  readonly close: () => void;
  readonly closed: Promise<void>;
}

function servePublishStream(
  call: PublishCall,
  accept: (event: ingestV1.NewEvent | undefined, caller: Principal) => Promise<AcceptResult>,
  maxInFlight: number,
): PublishStream {
  const { principal } = call.ctx;
  let inFlight = 0;
  let paused = false;
  let closing = false;
  /** False while acknowledgements pile up because the caller doesn't read them. */
  let writable = true;

  function resumeWhenThereIsRoom(): void {
    if (!paused || closing || !writable || inFlight > maxInFlight / 2) return;
    paused = false;
    call.resume();
  }

  function pause(): void {
    if (paused) return;
    paused = true;
    call.pause();
  }

  function close(): void {
    closing = true;
    pause();
    if (inFlight === 0) call.end();
  }

  call.onMessage(({ sequence, event }) => {
    inFlight += 1;
    if (inFlight >= maxInFlight) pause();
    // `accept` never rejects.
    void accept(event, principal).then((result) => {
      inFlight -= 1;
      if (!call.send({ sequence, result: resultToMessage(result) })) {
        writable = false;
        pause();
      }
      if (closing && inFlight === 0) call.end();
      else resumeWhenThereIsRoom();
    });
  });
  call.onDrain(() => {
    writable = true;
    resumeWhenThereIsRoom();
  });
  call.onEnd(close);
  return { close, closed: new Promise((resolve) => call.onClose(resolve)) };
}

function resultToMessage(result: AcceptResult): ingestV1.PublishResult {
  return result.refused === undefined
    ? { result: { $case: 'accepted', value: result.accepted } }
    : { result: { $case: 'refused', value: refusedToMessage(result) } };
}

function refusedToMessage({ refused, id, limits }: Refused): ingestV1.Refused {
  const message = refusalToMessage(refused, id);
  return limits === undefined ? message : { ...message, limits };
}

const missingEvent: AcceptResult = {
  refused: DomainError.invalid([{ field: '/event', code: 'required', message: 'This must be given.' }]),
  id: undefined,
};
