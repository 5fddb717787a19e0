/** What receivers do, and their names: the same on every subject. */
import type { ReceiverMood } from '../load/counting-receiver.ts';
import type { Fault } from './fault.ts';
import { receiverName, sleep, type Subject } from './subject.ts';

const moodSeconds = 6;

const nameOf: Readonly<Record<Exclude<ReceiverMood, 'well'>, string>> = {
  hanging: 'the receiver hangs',
  dripping: 'the receiver drips its answers',
  resetting: 'the receiver resets connections',
  busy: 'the receiver answers 429 with Retry-After',
};

export const receiverFaults: readonly Fault<Subject>[] = [
  ...(['hanging', 'dripping', 'resetting', 'busy'] as const).map(whileReceiverIs),
  {
    name: "the receiver's name stops resolving",
    surroundings: 'plain',
    isInShortForm: true,
    callsByName: true,
    async happen({ names }, { run }) {
      for (const state of ['hangs', []] as const) {
        names.zone[receiverName] = state;
        // A connection that is kept knows its address.
        run.receiver.cut();
        await sleep(moodSeconds);
      }
      names.zone[receiverName] = ['127.0.0.1'];
    },
  },
];

function whileReceiverIs(mood: Exclude<ReceiverMood, 'well'>): Fault<Subject> {
  return {
    name: nameOf[mood],
    surroundings: 'plain',
    isInShortForm: false,
    async happen(_, { run }) {
      run.receiver.mood = mood;
      await sleep(moodSeconds);
      run.receiver.mood = 'well';
      // What hung in it goes with its connections, as when such a receiver is restarted.
      run.receiver.cut();
    },
  };
}
