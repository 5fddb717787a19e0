/**
 * Publishes at a steady rate, as many clients that each send one event after the other, and remembers what was accepted.
 *
 * A client whose events have an ordering key sends each with an idempotency key as well, and again until it is accepted.
 * The others may do so too, or send each event once: what isn't answered with 202 is none that anything was promised for.
 */
export interface LoadOptions {
  /** Gateways; a client that sends again asks the next one. */
  readonly urls: readonly string[];
  /** An API key that may publish. */
  readonly key: string;
  /** Clients whose events have an ordering key of their own. */
  readonly keyed: Clients;
  /** Clients whose events have none. */
  readonly plain: Clients & {
    /** Whether they give every event an idempotency key, and send it again. */
    readonly sendAgain: boolean;
  };
}

interface Clients {
  readonly count: number;
  /** How often each of them publishes, when it isn't kept waiting. */
  readonly everyMs: number;
}

/** What a client published: `n` counts from 0 in each. */
export interface PublishedEvent {
  readonly client: string;
  readonly n: number;
}

export interface AcceptedEvent extends PublishedEvent {
  readonly id: string;
  readonly acceptedAtMs: number;
}

export interface SteadyLoad {
  readonly accepted: readonly AcceptedEvent[];
  /** Events that were sent once and not accepted; nobody knows what became of them. */
  readonly unanswered: number;
  /** Events that had to be sent again, and the most often that one was sent. */
  readonly sentAgain: number;
  readonly mostTries: number;
  /** When the latest publish began that was accepted (by `performance.now`). */
  readonly lastSuccessBeganAtMs: number;
  /** The answers that weren't 202, or what went wrong, with how often. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Publishes nothing new; resolves when every event that is sent again is accepted. */
  stop(): Promise<void>;
  /** Publishes nothing new, and sends nothing again. */
  abandon(): Promise<void>;
}

/** Longer than the gateway waits for an acknowledgement. */
const answerLimitMs = 15_000;
const pauseMs = 100;
const uuid = /[0-9a-f-]{36}/;

export function startLoad(options: LoadOptions): SteadyLoad {
  const { urls, key, keyed, plain } = options;
  const accepted: AcceptedEvent[] = [];
  const refusals = new Map<string, number>();
  let unanswered = 0;
  let sentAgain = 0;
  let mostTries = 0;
  let lastSuccessBeganAtMs = 0;
  let stopping = false;
  let abandoned = false;

  /** The event's id, or null when it wasn't accepted. */
  async function send(url: string, event: object): Promise<string | null> {
    const beganAt = performance.now();
    let problem: string;
    try {
      const answer = await fetch(`${url}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(answerLimitMs),
      });
      const body = (await answer.json()) as { readonly id?: string; readonly detail?: string };
      if (answer.status === 202 && body.id !== undefined) {
        lastSuccessBeganAtMs = Math.max(lastSuccessBeganAtMs, beganAt);
        return body.id;
      }
      problem = `${answer.status} ${(body.detail ?? '').replace(uuid, '…')}`;
    } catch (error) {
      problem = reasonOf(error);
    }
    refusals.set(problem, (refusals.get(problem) ?? 0) + 1);
    return null;
  }

  async function publish(published: PublishedEvent, isKeyed: boolean, first: number): Promise<void> {
    const { client, n } = published;
    const sendsAgain = isKeyed || plain.sendAgain;
    const event = {
      type: isKeyed ? 'load.keyed' : 'load.plain',
      data: published,
      ...(isKeyed && { orderingKey: client }),
      ...(sendsAgain && { idempotencyKey: `${client}-${n}` }),
    };
    for (let tries = 1; ; tries += 1) {
      const id = await send(urls[(first + tries) % urls.length] ?? '', event);
      mostTries = Math.max(mostTries, tries);
      if (id !== null) {
        accepted.push({ ...published, id, acceptedAtMs: performance.now() });
        return;
      }
      if (!sendsAgain) {
        unanswered += 1;
        return;
      }
      if (abandoned) return;
      if (tries === 1) sentAgain += 1;
      await pause(pauseMs);
    }
  }

  async function runClient(isKeyed: boolean, number: number): Promise<void> {
    const { count, everyMs } = isKeyed ? keyed : plain;
    const client = `${isKeyed ? 'keyed' : 'plain'}-${number}`;
    await pause((everyMs * number) / count);
    for (let n = 0; !stopping; n += 1) {
      const beganAt = performance.now();
      await publish({ client, n }, isKeyed, number);
      await pause(everyMs - (performance.now() - beganAt));
    }
  }

  const running = [
    ...Array.from({ length: keyed.count }, (_, number) => runClient(true, number)),
    ...Array.from({ length: plain.count }, (_, number) => runClient(false, number)),
  ];

  return {
    accepted,
    refusals,
    get unanswered() {
      return unanswered;
    },
    get sentAgain() {
      return sentAgain;
    },
    get mostTries() {
      return mostTries;
    },
    get lastSuccessBeganAtMs() {
      return lastSuccessBeganAtMs;
    },
    async stop() {
      stopping = true;
      await Promise.all(running);
    },
    async abandon() {
      stopping = true;
      abandoned = true;
      await Promise.all(running);
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** What fetch says of a connection that failed is in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  const { code = String(cause ?? error) } = (cause ?? {}) as { readonly code?: string };
  return code;
}
