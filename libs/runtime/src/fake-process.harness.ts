import { EventEmitter } from 'node:events';
import type { ProcessPort } from './run-service.ts';

/** A process that only says what it would do. */
export function fakeProcess(argv: readonly string[] = []) {
  const events = new EventEmitter();
  const written = { stdout: '', stderr: '' };
  const exits: number[] = [];
  const port: ProcessPort = {
    argv,
    on: (event, listener) => events.on(event, listener),
    exit: (code) => {
      exits.push(code);
      events.emit('exit');
    },
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
  };
  return {
    port,
    written,
    exits,
    emit: (event: string, value?: unknown) => events.emit(event, value),
    events,
  };
}
