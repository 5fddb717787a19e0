/** `posthorn publish --file`: reads JSON lines, publishes them, and says at the end what became of each. */
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { newId } from '@posthorn/models';
import { describe, type Problem } from '../client/api-error.ts';
import { cannotRead } from '../arguments.ts';
import { CliError, exitCodes, type ExitCode } from '../exit-codes.ts';
import { eventOfPayload, eventOfText, type EventFields, type NewEvent } from './new-event.ts';
import { createProgress } from '../terminal/progress.ts';
import { publishStream, type NumberedEvent } from './publish-stream.ts';
import { readLines, type Line } from './read-lines.ts';
import type { Session } from '../session.ts';

export interface PublishLinesOptions {
  /** A path, or `-` for standard input. */
  readonly file: string;
  /** Where refused lines are written to, with the reason and the line itself. */
  readonly errorsFile: string | null;
  /** When set, each line is a payload of this event; otherwise a whole event. */
  readonly fields: EventFields | null;
  readonly maxBatchItems: number;
  readonly concurrency: number;
  readonly giveUpAfterMs: number;
}

/** Longer lines can't be events: the API's bound on one is well below. */
const maxLineBytes = 4 * 1024 * 1024;
const maxBatchBytes = 1024 * 1024;
/** Refusals that the summary shows; `--errors` has them all. */
const maxShownRefusals = 20;

interface Refusal {
  readonly line: number;
  readonly problem: Problem;
}

/** Publishes the file; exit code 1 when a line was refused. Rejects with what ended it early, after the summary. */
export async function publishLines(session: Session, options: PublishLinesOptions): Promise<ExitCode> {
  const { api, output, io } = session;
  const { clock, random } = io;
  const startedAt = clock.monotonic();
  const counts = { read: 0, accepted: 0, duplicates: 0, refused: 0 };
  const refusals: Refusal[] = [];
  const errors = options.errorsFile === null ? null : await openErrors(options.errorsFile);
  const progress = createProgress({ stderr: io.stderr, clock });
  const rate = (): number =>
    Math.round(((counts.accepted + counts.duplicates) * 1_000) / Math.max(1, clock.monotonic() - startedAt));

  const mintId = (): string => newId(clock.now(), random.bytes);
  const refuse = (line: number, problem: Problem, input: string | null): void => {
    counts.refused += 1;
    if (refusals.length < maxShownRefusals) refusals.push({ line, problem });
    errors?.write(`${JSON.stringify({ line, ...problem, input })}\n`);
  };
  const show = (note = ''): void =>
    progress.update(
      () =>
        `published ${counts.accepted + counts.duplicates} of ${counts.read} read, ${counts.refused} refused, ${rate()}/s${note}`,
    );

  async function* events(): AsyncGenerator<NumberedEvent, void, undefined> {
    for await (const line of readLines(openInput(options.file, io), maxLineBytes)) {
      if (io.signal.aborted) return;
      counts.read += 1;
      const event = toEvent(line, options.fields, mintId);
      if ('problem' in event) refuse(line.number, event.problem, line.text);
      else yield { ...event, line: line.number, input: line.text ?? '' };
      if (errors?.writableNeedDrain && !errors.errored) await once(errors, 'drain');
    }
  }

  let failure: Error | undefined;
  try {
    await publishStream(events(), {
      api,
      clock,
      random,
      signal: io.signal,
      maxBatchItems: options.maxBatchItems,
      maxBatchBytes,
      concurrency: options.concurrency,
      giveUpAfterMs: options.giveUpAfterMs,
      onOutcome(outcome) {
        if (outcome.kind === 'refused') refuse(outcome.event.line, outcome.problem, outcome.event.input);
        else counts[outcome.answer.duplicate ? 'duplicates' : 'accepted'] += 1;
        show();
      },
      onRetry: () => show(', waiting for the API'),
    });
  } catch (error) {
    failure = asError(error);
  }
  progress.end();
  if (errors) await close(errors);

  if (failure && counts.read === 0) throw failure;
  refusals.sort((a, b) => a.line - b.line);
  const unknown = counts.read - counts.accepted - counts.duplicates - counts.refused;
  const durationMs = Math.round(clock.monotonic() - startedAt);
  await output.item({ ...counts, unknown, durationMs, refusals }, () => [
    ...output.fields({
      read: counts.read,
      accepted: counts.accepted,
      duplicates: counts.duplicates,
      refused: counts.refused,
      'not known':
        unknown > 0
          ? `${unknown} (publish the file again: give events ids of their own to find doubles)`
          : undefined,
      took: `${(durationMs / 1_000).toFixed(1)} s, ${rate()} events/s`,
    }),
    ...refusals.flatMap(({ line, problem }) => [
      `${output.style('red', `line ${line}:`)} ${describe(problem)}`,
      ...(problem.violations ?? []).map(({ field, message }) => `  ${field}  ${message}`),
    ]),
    ...(counts.refused > refusals.length ? [`… and ${counts.refused - refusals.length} more`] : []),
  ]);
  if (failure) throw failure;
  if (io.signal.aborted) return exitCodes.interrupted;
  return counts.refused > 0 ? exitCodes.failure : exitCodes.ok;
}

function toEvent(
  line: Line,
  fields: EventFields | null,
  mintId: () => string,
): NewEvent | { readonly problem: Problem } {
  if (line.text === null) {
    return line.problem === 'too_long'
      ? { problem: problemOf(413, 'payload_too_large', `The line is longer than ${maxLineBytes} bytes.`) }
      : { problem: problemOf(400, 'invalid_argument', "The line isn't UTF-8 text.") };
  }
  try {
    return fields === null ? eventOfText(line.text, mintId) : eventOfPayload(line.text, fields, mintId);
  } catch (error) {
    return {
      problem: problemOf(400, 'invalid_argument', error instanceof Error ? error.message : String(error)),
    };
  }
}

function problemOf(status: number, code: string, detail: string): Problem {
  return { status, code, detail };
}

async function* openInput(path: string, { stdin }: Session['io']): AsyncGenerator<Uint8Array | string> {
  try {
    yield* path === '-' ? stdin : (createReadStream(path) as AsyncIterable<Buffer>);
  } catch (error) {
    throw cannotRead(path === '-' ? 'Standard input' : path, error);
  }
}

async function openErrors(path: string): Promise<WriteStream> {
  const stream = createWriteStream(path);
  try {
    await once(stream, 'open');
  } catch (error) {
    throw new CliError(
      exitCodes.usage,
      `${path} can't be written: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  // A later failure (a full disk) is told at the end, by `close`.
  stream.on('error', () => undefined);
  return stream;
}

/** Ends the file; tells when it couldn't be written whole. */
async function close(stream: WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.end(resolve));
  if (stream.errored) {
    throw new CliError(
      exitCodes.failure,
      `${String(stream.path)} couldn't be written: ${stream.errored.message}.`,
    );
  }
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
