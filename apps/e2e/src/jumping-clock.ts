/**
 * Loaded into the platform's process before anything else (`--import`): its wall clock is off by what a file says, which is read
 * again at SIGUSR2. The monotonic clock goes on undisturbed, as on a machine whose time is set.
 */
import { readFileSync } from 'node:fs';

const file = process.env['E2E_CLOCK_OFFSET_FILE'] ?? '';
const RealDate = Date;
let offsetMs = 0;

process.on('SIGUSR2', () => {
  offsetMs = Number(readFileSync(file, 'utf8'));
});

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now() + offsetMs] : args, newTarget) as Date,
  get: (target, property) =>
    property === 'now' ? () => target.now() + offsetMs : (Reflect.get(target, property) as unknown),
});
