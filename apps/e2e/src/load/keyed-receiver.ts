/**
 * A receiver that remembers what came of each ordering key, in which order, and whether two of one key were ever open at once. It
 * answers as it is told, and waits when it is told to.
 */
import { startReceiver } from '@posthorn/testing';

/** What is published for it: `n` counts from 0 in each key. */
export interface KeyedEvent {
  readonly key: string;
  readonly n: number;
}

export interface KeyedReceiver {
  readonly url: string;
  /** The status of each answer; a promise is waited for. */
  answer: (event: KeyedEvent) => number | Promise<number>;
  /** The numbers of what came of a key, repetitions included, in the order in which it came. */
  came(key: string): readonly number[];
  /** What came while another one of its key was open, as text. */
  overlaps(): readonly string[];
  close(): Promise<void>;
}

/** Starts one on a free port; it takes everything until it is told otherwise. */
export async function startKeyedReceiver(): Promise<KeyedReceiver> {
  const arrivals = new Map<string, number[]>();
  const open = new Map<string, Set<number>>();
  const overlaps: string[] = [];

  const server = await startReceiver({
    behaviour({ request, response }) {
      const { data } = JSON.parse(request.body.toString()) as { readonly data: KeyedEvent };
      const { key, n } = data;
      entryOf(arrivals, key, () => []).push(n);
      const openOfKey = entryOf(open, key, () => new Set<number>());
      if (openOfKey.size > 0) overlaps.push(`${key}: ${n} came while ${[...openOfKey].join()} was open`);
      openOfKey.add(n);
      response.once('close', () => openOfKey.delete(n));
      void Promise.resolve(receiver.answer(data)).then((status) => {
        openOfKey.delete(n);
        response.writeHead(status).end();
      });
    },
  });

  const receiver: KeyedReceiver = {
    url: server.url,
    answer: () => 204,
    came: (key) => arrivals.get(key) ?? [],
    overlaps: () => overlaps,
    close: () => server.close(),
  };
  return receiver;
}

function entryOf<T>(entries: Map<string, T>, key: string, make: () => T): T {
  const entry = entries.get(key) ?? make();
  entries.set(key, entry);
  return entry;
}
