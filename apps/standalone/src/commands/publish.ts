/** `posthorn publish`: one event from the command line, or JSON lines from a file or standard input. */
import type { Command } from 'commander';
import { newId } from '@posthorn/models';
import { sleep } from '@posthorn/runtime';
import { isNobodyThere, isTransient } from '../client/api-error.ts';
import {
  collectPairs,
  laterMoment,
  moment,
  notJson,
  readData,
  wholeNumber,
  type Moment,
} from '../arguments.ts';
import { CliError, exitCodes, type ExitCode } from '../exit-codes.ts';
import { eventOfPayload, type NewEvent } from '../publishing/new-event.ts';
import { publishLines } from '../publishing/publish-lines.ts';
import type { AcceptedEvent } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession, Session } from '../session.ts';

interface PublishOptions {
  readonly type?: string;
  readonly file?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly subject?: string;
  readonly id?: string;
  readonly idempotencyKey?: string;
  readonly occurredAt?: Moment;
  readonly deliverAt?: Moment;
  readonly errors?: string;
  readonly concurrency: number;
  readonly batch: number;
  readonly giveUpAfter: number;
}

export function addPublishCommand(root: Command, withSession: WithSession): void {
  root
    .command('publish')
    .description('publish an event, or a file of them')
    .argument('[type]', 'event type, such as order.paid')
    .argument('[data]', 'payload: JSON, @file, or - for standard input')
    .option('--type <type>', 'with --file: each line is a payload of this type, instead of a whole event')
    .option('--file <path>', 'publish JSON lines from a file, or - for standard input')
    .option('--label <name=value>', 'label to match endpoints by; may be repeated', collectPairs)
    .option('--subject <id>', 'whom it is about, for erasure')
    .option('--id <id>', 'an id of your own; the same id again is the same event')
    .option('--idempotency-key <key>', 'the same key again within 24 h is the same event')
    .option('--occurred-at <time>', 'when it happened (RFC 3339, or an age such as 5m)', moment)
    .option(
      '--deliver-at <time>',
      'not to be delivered before (RFC 3339, or a delay such as 5m)',
      laterMoment,
    )
    .option('--errors <path>', 'with --file: write what was refused to this file, as JSON lines')
    .option('--concurrency <n>', 'with --file: batches under way at a time', wholeNumber(1, 32), 4)
    .option('--batch <n>', 'with --file: events in a batch', wholeNumber(1, 1_000), 250)
    .option(
      '--give-up-after <seconds>',
      'how long to keep trying while the API is away',
      wholeNumber(0, 86_400),
      60,
    )
    .addHelpText(
      'after',
      `${examples(
        `posthorn publish order.paid '{"orderId":42}' --label region=eu`,
        'posthorn publish order.paid @order.json --idempotency-key order-42-paid',
        'posthorn publish --file events.ndjson --errors refused.ndjson',
        'zcat payloads.ndjson.gz | posthorn publish order.paid --file -',
      )}\n
A line of a file is an event, {"type":…,"data":…} and optionally id, idempotencyKey, occurredAt, deliverAt, orderingKey, labels
and subject; with a type, a line is just its data. An event without an id gets one before it is first sent, so that nothing is doubled when the
connection breaks and a batch has to be sent again. Exit code 1: at least one event was refused.`,
    )
    .action(
      withSession(
        (session, type: string | undefined, data: string | undefined, options: PublishOptions) =>
          options.file === undefined
            ? publishOne(session, type, data, options)
            : publishFile(session, type, data, { ...options, file: options.file }),
        { finishRequests: true },
      ),
    );
}

async function publishFile(
  session: Session,
  typeArgument: string | undefined,
  data: string | undefined,
  options: PublishOptions & { readonly file: string },
): Promise<ExitCode> {
  const { file, errors, id, idempotencyKey, label, subject } = options;
  const type = typeArgument ?? options.type;
  refuseTogether({ data, '--id': id, '--idempotency-key': idempotencyKey });
  if (typeArgument !== undefined && options.type !== undefined) {
    throw new CliError(exitCodes.usage, 'Give the type once: before --file, or as --type.');
  }
  if (type === undefined) {
    refuseTogether(
      {
        '--label': label,
        '--subject': subject,
        '--occurred-at': options.occurredAt,
        '--deliver-at': options.deliverAt,
      },
      'without a type',
    );
  }
  const occurredAt = options.occurredAt?.at(session.io.clock);
  const deliverAt = options.deliverAt?.at(session.io.clock);
  return publishLines(session, {
    file,
    errorsFile: errors ?? null,
    fields: type === undefined ? null : { type, occurredAt, deliverAt, subject, labels: label },
    maxBatchItems: options.batch,
    concurrency: options.concurrency,
    giveUpAfterMs: options.giveUpAfter * 1_000,
  });
}

async function publishOne(
  { api, output, io }: Session,
  type: string | undefined,
  data: string | undefined,
  options: PublishOptions,
): Promise<ExitCode> {
  if (type === undefined || data === undefined) {
    throw new CliError(exitCodes.usage, 'Give a type and data, or --file.', [
      '(add --help for what there is)',
    ]);
  }
  if (options.type !== undefined || options.errors !== undefined) {
    throw new CliError(exitCodes.usage, '--type and --errors are for --file.');
  }
  const { clock, random, signal } = io;
  const { id, idempotencyKey, subject, label: labels } = options;
  const occurredAt = options.occurredAt?.at(clock);
  const deliverAt = options.deliverAt?.at(clock);
  const payload = await readData(data, io);
  let event: NewEvent;
  try {
    const fields = { type, id, idempotencyKey, occurredAt, deliverAt, subject, labels };
    event = eventOfPayload(payload, fields, () => newId(clock.now(), random.bytes));
  } catch (error) {
    throw notJson('The data', error);
  }

  const deadline = clock.monotonic() + options.giveUpAfter * 1_000;
  for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, 5_000)) {
    try {
      const answer = await api.send<AcceptedEvent>('POST', '/v1/events', { body: event.json });
      // An id that was minted here can only be known already because an earlier try had arrived.
      const accepted = { ...answer, duplicate: answer.duplicate && event.isKeyed };
      await output.item(accepted, ({ id, type, acceptedAt, duplicate }) => [
        duplicate
          ? `${output.style('yellow', 'duplicate')} of ${id}  ${type}`
          : `${output.style('green', 'accepted')} ${id}  ${type}  ${acceptedAt}`,
      ]);
      return exitCodes.ok;
    } catch (error) {
      const isRetried = isTransient(error) && !isNobodyThere(error) && clock.monotonic() + waitMs < deadline;
      if (!isRetried || signal.aborted) throw error;
      output.note(`${error.message} Trying again with the same id.`);
      await sleep(clock, waitMs, signal);
    }
  }
}

/** Options that make no sense together are refused instead of ignored. */
function refuseTogether(given: Readonly<Record<string, unknown>>, circumstance = ''): void {
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (names.length > 0) {
    throw new CliError(
      exitCodes.usage,
      `${names.join(', ')} can't be given with --file${circumstance && ` ${circumstance}`}: each line has its own.`,
    );
  }
}
