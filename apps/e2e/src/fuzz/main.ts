/**
 * `npm run fuzz`: sends and computes whatever may come, at random: requests made from the OpenAPI document, gRPC messages on the wire,
 * and the pure rules' property tests with many more cases.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { grpc } from './fuzz-grpc.ts';
import { rest } from './fuzz-rest.ts';
import { rules } from './fuzz-rules.ts';
import type { FuzzPart, FuzzResult } from './part.ts';

const parts: readonly FuzzPart[] = [rules, rest, grpc];
const largestSeed = 2 ** 31;
const shortSeed = 1;

const help = `npm run fuzz -- [options]

  --part rest|grpc|rules   only this part; may be repeated
                             rest   requests made from the OpenAPI document by Schemathesis (takes Python 3.10),
                                    native and dialects, on the embedded platform
                             grpc   messages at random for every RPC, on the four services
                             rules  the property tests, each with many more cases
  --cases N                about so many cases of each part
  --seed N                 repeats a run
  --short                  a few minutes in all, and always the same seed, as in CI
  --tally FILE             write "<passed> <failed>" into a file
  --help                   this
`;

const { values } = parseArgs({
  options: {
    part: { type: 'string', multiple: true, default: [] },
    cases: { type: 'string' },
    seed: { type: 'string' },
    short: { type: 'boolean', default: false },
    tally: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const problems = [
  ...values.part
    .filter((name) => parts.every((part) => part.name !== name))
    .map((name) => `there is no part '${name}'; there are ${parts.map((part) => part.name).join(', ')}`),
  ...(['cases', 'seed'] as const)
    .filter((name) => values[name] !== undefined && !/^\d{1,9}$/.test(values[name]))
    .map((name) => `--${name} takes a whole number of up to nine digits`),
];
if (values.help) process.stdout.write(help);
else if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 2;
} else await run();

async function run(): Promise<void> {
  // What CI asks of a change is the same for every change; the search is for the long form.
  const ordinarySeed = values.short ? shortSeed : Math.floor(Math.random() * largestSeed);
  const seed = values.seed === undefined ? ordinarySeed : Number(values.seed);
  process.stdout.write(`seed ${seed}\n`);
  const results: FuzzResult[] = [];
  for (const part of parts.filter(({ name }) => values.part.length === 0 || values.part.includes(name))) {
    const ordinary = values.short ? part.shortCases : part.longCases;
    const cases = values.cases === undefined ? ordinary : Number(values.cases);
    try {
      results.push(...(await part.run({ cases, seed, tell })));
    } catch (error) {
      const finding = error instanceof Error ? (error.stack ?? error.message) : String(error);
      results.push({ what: part.name, cases: 0, finding });
    }
  }
  for (const { what, finding } of results) {
    if (finding !== null) process.stdout.write(`\n---- ${what}\n${finding}\n`);
  }
  process.stdout.write('\n');
  for (const { what, cases, finding } of results) {
    process.stdout.write(`${finding === null ? 'ok    ' : 'FAILED'} ${what}: ${cases} cases\n`);
  }
  const failed = results.filter(({ finding }) => finding !== null).length;
  process.stdout.write(`\n${results.length - failed} passed, ${failed} failed (seed ${seed})\n`);
  if (values.tally !== undefined) writeFileSync(values.tally, `${results.length - failed} ${failed}\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
