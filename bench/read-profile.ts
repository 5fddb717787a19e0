/** `node bench/read-profile.ts FILE.cpuprofile`: where the time of a CPU profile went, as text. */
import { parseArgs } from 'node:util';
import { describeProfile, summarizeProfile } from './cpu-profile.ts';

const usage = `usage: node bench/read-profile.ts FILE.cpuprofile [--lines 30] [--from MICROS --to MICROS]

Self time by package, by file and by function. --from and --to are moments of the monotonic clock in microseconds, as
bench/run.ts --cpu-prof prints them; without them, the start of the process and the warm-up count too.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lines: { type: 'string', default: '30' },
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: 'Infinity' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [file] = positionals;
if (values.help || file === undefined) {
  console.log(usage);
  process.exitCode = values.help ? 0 : 2;
} else {
  const window = { fromMicros: Number(values.from), toMicros: Number(values.to) };
  console.log(describeProfile(summarizeProfile(file, window), Number(values.lines)));
}
