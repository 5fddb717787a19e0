/** The publisher in Node: as `load/publish.go`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { PublishJob, PublishResult } from '../load-tools.ts';
import { answerCommands, nowMicros, writeRows } from './commands.ts';

async function publish(job: PublishJob): Promise<PublishResult> {
  const { port, connections, rate, first, count, batch, keys, types, rest, out } = job;
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 });
  const size = Math.max(batch, 1);
  const requests = Math.ceil(count / size);
  const rows = new Array<number>(4 * requests).fill(0);
  let next = 0;
  let refused = 0;
  let example = '';
  const start = nowMicros();

  const send = async (number: number, events: number): Promise<boolean> => {
    const turn = Math.floor(number / size);
    const type = types[Math.floor(turn / keys.length) % types.length] ?? '';
    const event = (n: number): string => `{"type":"${type}","data":{"n":${n},"t":${nowMicros()},${rest}}}`;
    const body =
      batch === 0
        ? event(number)
        : `{"events":[${Array.from({ length: events }, (_, i) => event(number + i)).join(',')}]}`;
    const response = await pool.request({
      method: 'POST',
      path: batch === 0 ? '/v1/events' : '/v1/events/batch',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${keys[turn % keys.length] ?? ''}`,
      },
      body,
    });
    const text = await response.body.text();
    const accepted =
      response.statusCode === 202 && (batch === 0 || text.split('"duplicate":').length - 1 === events);
    if (!accepted) example ||= `${response.statusCode} ${text.slice(0, 300)}`;
    return accepted;
  };

  const work = async (): Promise<void> => {
    for (let i = next++; i < requests; i = next++) {
      const due = start + (i / rate) * 1e6;
      if (rate > 0) await sleep(Math.max(0, (due - nowMicros()) / 1_000));
      const sent = rate > 0 ? due : nowMicros();
      const number = first + i * size;
      const events = Math.min(size, count - i * size);
      const accepted = await send(number, events).catch((error: unknown) => {
        example ||= String(error);
        return false;
      });
      if (!accepted) refused++;
      rows.splice(4 * i, 4, number, events, sent, accepted ? nowMicros() : 0);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  await pool.close();
  writeRows(out, rows);
  return { refused, example, error: '' };
}

await answerCommands(async (line) => {
  try {
    return JSON.stringify(await publish(JSON.parse(line) as PublishJob));
  } catch (error) {
    return JSON.stringify({ refused: 0, example: '', error: String(error) } satisfies PublishResult);
  }
});
