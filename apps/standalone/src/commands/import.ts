/** `posthorn import`: endpoints and policies of another webhook API, moved here with their secrets and keys. */
import { InvalidArgumentError, type Command } from 'commander';
import { httpUrl, notJson, readData } from '../arguments.ts';
import { fromTokenOf } from '../config.ts';
import { CliError, exitCodes, type ExitCode } from '../exit-codes.ts';
import { noFile, readImportFile, type ImportFile } from '../import/import-file.ts';
import { importedDialects, type ImportedDialect } from '../import/import-item.ts';
import { planImport, type ImportAction, type ImportStep } from '../import/import-plan.ts';
import { createSourceClient } from '../import/source-client.ts';
import { credentialHeaders, sourceReaders } from '../import/sources.ts';
import type { Io } from '../terminal/io.ts';
import { createProgress } from '../terminal/progress.ts';
import { examples } from '../root-command.ts';
import type { Session, WithSession } from '../session.ts';

interface ImportOptions {
  readonly from: string;
  readonly fromToken?: string;
  readonly fromAccount?: string;
  readonly file?: string;
  readonly apply?: true;
}

export function addImportCommand(root: Command, withSession: WithSession): void {
  root
    .command('import')
    .description('move endpoints and policies of another webhook API here, secrets and all')
    .argument('<api>', `which API: ${importedDialects.join(', ')}`, importedDialect)
    .requiredOption('--from <url>', 'where that API begins', httpUrl)
    .option('--from-token <token>', 'its API token; better given as POSTHORN_FROM_TOKEN')
    .option('--from-account <account>', 'xurrent: the account, as in X-4me-Account')
    .option('--file <json>', 'what the API does not show: JSON, @file, or - (see below)')
    .option('--apply', 'do it; without it, nothing is written and only the plan is shown')
    .addHelpText(
      'after',
      `${examples(
        'posthorn import rapidly --from https://api.rapidly.tech',
        'posthorn import preo --from https://preo.example.com --file @secrets.json',
        'posthorn import preo --from https://preo.example.com --file @secrets.json --apply',
        'posthorn import xurrent --from https://api.xurrent.com --from-account wdc --file @xurrent.json --apply',
      )}

Nothing is written without --apply. Importing again changes only what differs since, so it can be repeated until the day of the
switch. An endpoint is known by its uid here: the API's name, a dash, and the id that it had there.

The file has what the API doesn't show: secrets (preo), keys of policies and endpoints (xurrent).
  {"endpoints": [{"id": "0192f3c4-…", "secret": "…"}]}
  {"policies":  [{"name": "6f3a5394…", "key": "-----BEGIN PRIVATE KEY-----\\n…"}],
   "endpoints": [{"id": "crm", "url": "https://example.com/hooks", "policy": "6f3a5394…", "eventTypes": ["person.*"]}]}`,
    )
    .action(withSession(runImport));
}

function importedDialect(text: string): ImportedDialect {
  const known = importedDialects.find((name) => name === text);
  if (known === undefined)
    throw new InvalidArgumentError(`It must be one of ${importedDialects.join(', ')}.`);
  return known;
}

interface Outcome {
  readonly step: ImportStep;
  /** Why it wasn't done. */
  readonly error: string | null;
}

async function runImport(
  session: Session,
  dialect: ImportedDialect,
  options: ImportOptions,
): Promise<ExitCode> {
  const { api, output, io } = session;
  const token = fromTokenOf(options.fromToken, io.env);
  if (token === null) {
    throw new CliError(
      exitCodes.usage,
      'Give the token of the API with --from-token or POSTHORN_FROM_TOKEN.',
    );
  }
  const file = await readFileOption(options.file, io);
  const source = createSourceClient({
    url: options.from,
    headers: {
      ...credentialHeaders[dialect](token),
      ...(options.fromAccount !== undefined && {
        'x-4me-account': options.fromAccount,
        'x-xurrent-account': options.fromAccount,
      }),
    },
    clock: io.clock,
    signal: io.signal,
  });
  const progress = createProgress({ stderr: io.stderr, clock: io.clock });
  const outcomes: Outcome[] = [];
  try {
    for await (const step of planImport(sourceReaders[dialect](source, file), api)) {
      outcomes.push({ step, error: options.apply === true ? await carryOut(step) : null });
      progress.update(
        () => `${options.apply === true ? 'importing' : 'reading'}: ${outcomes.length} so far, ${step.name}`,
      );
    }
  } finally {
    progress.end();
    await source.close();
  }
  await report(outcomes, options, session);
  const isComplete = outcomes.every(({ step, error }) => error === null && step.action !== 'impossible');
  if (!options.apply && outcomes.length > 0)
    output.note('Nothing was written. Run it again with --apply to do this.');
  return isComplete ? exitCodes.ok : exitCodes.failure;
}

/** One that is refused doesn't stop the others; an API that is away stops everything. */
async function carryOut(step: ImportStep): Promise<string | null> {
  try {
    await step.carryOut();
    return null;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === exitCodes.refused)
      return [error.message, ...error.details].join(' ');
    throw error;
  }
}

async function report(
  outcomes: readonly Outcome[],
  { apply }: ImportOptions,
  { output }: Session,
): Promise<void> {
  const done: Readonly<Record<ImportAction, string>> = {
    create: apply ? 'created' : 'create',
    update: apply ? 'updated' : 'update',
    unchanged: 'unchanged',
    impossible: 'impossible',
  };
  const resultOf = ({ step, error }: Outcome): string => (error === null ? done[step.action] : 'refused');
  if (output.json) {
    const rows = outcomes.map((outcome) => {
      const { kind, name, url, note } = outcome.step;
      return { result: resultOf(outcome), kind, name, url, note: outcome.error ?? note };
    });
    await output.list(rows, [], '');
    return;
  }
  await output.list(
    outcomes,
    [
      { header: 'RESULT', value: resultOf, style: (text, row) => output.style(colourOf(row), text) },
      { header: 'KIND', value: ({ step }) => step.kind },
      { header: 'NAME', value: ({ step }) => step.name },
      { header: 'URL', value: ({ step }) => step.url, flexible: true },
      { header: 'NOTE', value: ({ step, error }) => error ?? step.note, flexible: true },
    ],
    'There is nothing to import.',
  );
  const counts = new Map<string, number>();
  for (const outcome of outcomes) counts.set(resultOf(outcome), (counts.get(resultOf(outcome)) ?? 0) + 1);
  if (outcomes.length > 0) output.note([...counts].map(([result, count]) => `${count} ${result}`).join(', '));
}

function colourOf({ step, error }: Outcome): 'red' | 'dim' | 'green' {
  if (error !== null || step.action === 'impossible') return 'red';
  return step.action === 'unchanged' ? 'dim' : 'green';
}

async function readFileOption(text: string | undefined, io: Pick<Io, 'stdin'>): Promise<ImportFile> {
  if (text === undefined) return noFile;
  const data = await readData(text, io);
  try {
    return readImportFile(JSON.parse(data));
  } catch (error) {
    throw error instanceof CliError ? error : notJson('--file', error);
  }
}
