/** The receiver in Node: as `load/receive.go`. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerCommands, nowMicros, writeRows } from './commands.ts';

/** Endpoint, event number, arrived at. */
let rows: number[] = [];

function receive(req: IncomingMessage, res: ServerResponse): void {
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.on('end', () => {
    const at = nowMicros();
    const path = req.url ?? '';
    if (path.startsWith('/hang/')) return;
    const endpoint = Number(path.slice(path.lastIndexOf('/') + 1));
    const [, number] = /"n":(\d+)/.exec(Buffer.concat(parts).toString('latin1')) ?? [];
    rows.push(endpoint, Number(number ?? -1), at);
    res.writeHead(200, { 'content-length': 2 }).end('ok');
  });
}

async function listen(): Promise<number> {
  const server = createServer(receive).listen(0, '127.0.0.1');
  // The other side decides when a connection ends.
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

await answerCommands(async (line) => {
  const [command = '', argument = ''] = line.split(' ');
  switch (command) {
    case 'listen':
      return (await Promise.all(Array.from({ length: Number(argument) }, listen))).join(' ');
    case 'count':
      return String(rows.length / 3);
    case 'clear':
      rows = [];
      return 'ok';
    case 'dump':
      writeRows(argument, rows);
      return 'ok';
    default:
      return `error no such command: ${command}`;
  }
});
