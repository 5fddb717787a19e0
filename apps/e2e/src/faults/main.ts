/**
 * `npm run test:faults`: breaks everything that can break, for real and under load, on the embedded platform and on the four
 * services over Kafka and MongoDB, and counts what became of every accepted event.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { embeddedFaults } from './embedded-faults.ts';
import { startEmbedded } from './embedded.ts';
import type { Fault } from './fault.ts';
import { recordRun } from './reliability-page.ts';
import { resultsTable } from './results-table.ts';
import { isGood, runSuite, type FaultResult, type RunOptions, type Suite } from './run-faults.ts';
import { servicesFaults } from './services-faults.ts';
import { startServices } from './services.ts';
import type { Subject } from './subject.ts';

const help = `npm run test:faults -- [options]

Breaks things under a load of some 50 events a second and prints, for each fault, how many events were accepted,
delivered, lost, duplicated and out of order, and how many seconds it took to recover. It fails when one was lost, or
one with an ordering key was overtaken.

  --on embedded|services   on one of the two only
  --only TEXT              only faults whose name has this text; may be repeated
  --short                  a part of the faults, and shorter ones: a few minutes, as in CI
  --record                 write the table, with its commit, into docs/reliability.md
  --tally FILE             write "<passed> <failed>" into a file
  --list                   name the faults and end
  --help                   this
`;

const { values } = parseArgs({
  options: {
    on: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    short: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    tally: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const subjects = ['embedded', 'services'];
if (values.help) {
  process.stdout.write(help);
} else if (values.on !== undefined && !subjects.includes(values.on)) {
  process.stderr.write(`there is no '${values.on}' to break; --on takes ${subjects.join(' or ')}\n`);
  process.exitCode = 2;
} else {
  await run();
}

async function run(): Promise<void> {
  const embedded = chosen({ subject: 'embedded', faults: embeddedFaults, start: startEmbedded });
  const services = chosen({ subject: 'services', faults: servicesFaults, start: startServices });
  const names = [embedded, services].flatMap(({ subject, faults }) =>
    faults.map(({ name }) => `${subject}: ${name}`),
  );
  if (values.list) {
    process.stdout.write(`${names.join('\n')}\n`);
    return;
  }
  if (names.length === 0) {
    process.stderr.write('no fault has such a name; --list names them\n');
    process.exitCode = 2;
    return;
  }
  const results: FaultResult[] = [];
  const options: RunOptions = {
    pace: values.short
      ? { awaySeconds: 12, suspendedSeconds: 16, kills: 1 }
      : { awaySeconds: 60, suspendedSeconds: 30, kills: 4 },
    onResult(result) {
      results.push(result);
      const { subject, fault, counts, problem } = result;
      const outcome = counts === null ? `${problem}` : JSON.stringify(counts);
      process.stdout.write(`${results.length} of ${names.length}  ${subject}: ${fault}: ${outcome}\n`);
    },
  };
  await runSuite(embedded, options);
  await runSuite(services, options);

  process.stdout.write(`\n${resultsTable(results)}\n`);
  const failed = results.filter((result) => !isGood(result)).length;
  process.stdout.write(`\n${results.length - failed} passed, ${failed} failed\n`);
  if (values.tally !== undefined) writeFileSync(values.tally, `${results.length - failed} ${failed}\n`);
  if (values.record) recordRun(results, values.short ? 'The short form' : 'The full form');
  process.exitCode = failed > 0 ? 1 : 0;
}

function chosen<S extends Subject>(suite: Suite<S>): Suite<S> {
  const isChosen = ({ name, isInShortForm }: Fault<S>): boolean =>
    (values.on ?? suite.subject) === suite.subject &&
    (isInShortForm || !values.short) &&
    (values.only.length === 0 || values.only.some((text) => name.includes(text)));
  return { ...suite, faults: suite.faults.filter(isChosen) };
}
