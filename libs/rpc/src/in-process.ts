/**
 * Calls within one process: the same handlers, deadlines, cancellation and error mapping as over the network, and nothing
 * of its cost. Messages are passed by reference, so neither side changes one after it was sent.
 */
import { DomainError } from '@posthorn/models';
import type { Clock, Logger, Metrics } from '@posthorn/runtime';
import { CallState, type CallOptions } from './calls/call-context.ts';
import { createCallObserver, type CallObserver } from './calls/call-observer.ts';
import type { Client } from './calls/client.ts';
import { callCancelled, defaultDeadlineMs, handlerBudgetMs } from './calls/deadlines.ts';
import type { RegisteredMethod, ServiceDefinition, ServiceRegistration } from './calls/define-service.ts';
import { MessageQueue } from './message-queue.ts';
import { CallerStream, ServerStream } from './calls/stream.ts';
import { publicError, runUnary } from './calls/unary.ts';

export interface InProcessClientOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Makes a client that calls the handlers of a registration directly. Nothing to close. */
export function createInProcessClient<D extends ServiceDefinition>(
  registration: ServiceRegistration<D>,
  options: InProcessClientOptions,
): Client<D> {
  const observer = createCallObserver(options);
  const methods = registration.methods.map((method) => [
    method.name,
    method.kind === 'unary' ? callUnary(method, observer) : openStream(method, observer),
  ]);
  return Object.fromEntries(methods) as Client<D>;
}

function startCall(options: CallOptions, deadlineMs: number, clock: Clock): [CallState, number] {
  const budgetMs = handlerBudgetMs(deadlineMs);
  const state = new CallState({
    requestId: options.requestId,
    deadline: clock.now() + budgetMs,
    traceparent: options.traceparent,
    source: options.source,
  });
  state.principal = options.principal;
  return [state, budgetMs];
}

function callUnary(method: RegisteredMethod & { kind: 'unary' }, observer: CallObserver) {
  const { path } = method.definition;
  return async (request: unknown, options: CallOptions): Promise<unknown> => {
    const { signal } = options;
    if (signal?.aborted) throw callCancelled(signal.reason);
    const [state, budgetMs] = startCall(options, options.deadlineMs ?? defaultDeadlineMs, observer.clock);
    const hangUp = (): void => state.abort(callCancelled(signal?.reason));
    signal?.addEventListener('abort', hangUp);
    try {
      return await runUnary({ path, state, budgetMs, handle: () => method.handle(request, state) }, observer);
    } catch (error) {
      throw publicError(DomainError.from(error));
    } finally {
      signal?.removeEventListener('abort', hangUp);
    }
  };
}

function openStream(method: RegisteredMethod & { kind: 'stream' }, observer: CallObserver) {
  const { path } = method.definition;
  return (options: CallOptions): CallerStream => {
    const [state, budgetMs] = startCall(options, options.deadlineMs ?? Infinity, observer.clock);

    const caller = new CallerStream(options.signal);
    const answers: MessageQueue<unknown> = new MessageQueue({
      message: (message) => caller.receive(message),
      end: (error) => caller.close(error),
      drained: () => server.drained(),
    });
    const requests: MessageQueue<unknown> = new MessageQueue({
      message: (message) => server.receive(message),
      end: () => server.receiveEnd(),
      drained: () => caller.drained(),
    });
    const server: ServerStream = new ServerStream({
      path,
      state,
      budgetMs,
      observer,
      transport: {
        write: (message) => answers.push(message),
        finish: (error) => {
          requests.discard();
          answers.end(error);
        },
        pause: () => requests.pause(),
        resume: () => requests.resume(),
      },
    });

    caller.connect({
      write: (message) => requests.push(message),
      end: () => requests.end(null),
      cancel: () => {
        answers.discard();
        server.hungUp();
      },
      pause: () => answers.pause(),
      resume: () => answers.resume(),
    });
    // Not within the caller's call: a handler that throws at once must still be heard.
    queueMicrotask(() => server.start(method.handle));
    return caller;
  };
}
