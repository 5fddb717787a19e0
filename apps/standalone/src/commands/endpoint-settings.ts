/** The options that create and update an endpoint, and the request body that they make. Only what is given is sent. */
import { endpointFormats, signatureSchemes } from '@posthorn/models';
import { Option, type Command } from 'commander';
import {
  collect,
  collectChoices,
  collectPairs,
  notJson,
  numberList,
  rateLimit,
  readData,
  wholeNumber,
  type RateLimitArgument,
} from '../arguments.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { Io } from '../terminal/io.ts';

export interface EndpointSettingsOptions {
  readonly uid?: string | undefined;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly eventType?: readonly string[] | undefined;
  readonly allEventTypes?: true | undefined;
  readonly label?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly anyLabels?: true | undefined;
  readonly filter?: string | undefined;
  readonly anyPayload?: true | undefined;
  readonly edition?: string | undefined;
  readonly anyEdition?: true | undefined;
  readonly format?: string | undefined;
  readonly signing?: readonly string[] | undefined;
  readonly policy?: string | undefined;
  readonly unsigned?: true | undefined;
  readonly header?: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs?: number | undefined;
  readonly retryDelaysMs?: readonly number[] | undefined;
  readonly maxInFlight?: number | undefined;
  readonly rateLimit?: RateLimitArgument | undefined;
  readonly anyRate?: true | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** Adds the options of `EndpointSettingsOptions`. */
export function addEndpointSettings(command: Command): Command {
  return command
    .option('--uid <uid>', 'your own name for it, unique in the organisation')
    .option('--name <name>', 'name for people')
    .option('--description <text>', 'what it is for')
    .option('--event-type <pattern>', 'order.paid, order.* or *; may be repeated', collect)
    .option('--all-event-types', 'every event type (the default)')
    .option('--label <name=value,…>', 'only events with one of the values; may be repeated', collectChoices)
    .option('--any-labels', 'whatever the labels (the default)')
    .option('--filter <json>', 'only payloads that match: JSON, @file, or - (see docs/filters.md)')
    .option('--any-payload', 'whatever the payload (the default)')
    .option('--edition <id>', 'only events of this edition (dialect preo)')
    .option('--any-edition', 'whatever the edition (the default)')
    .addOption(new Option('--format <format>', 'what the body looks like').choices(endpointFormats))
    .addOption(
      new Option('--signing <scheme>', 'how requests are signed; may be repeated')
        .choices(signatureSchemes)
        .argParser((text: string, previous: readonly string[] | undefined) => collect(text, previous)),
    )
    .option('--policy <policy>', 'the policy that signs, by its id or number (dialect xurrent)')
    .option('--unsigned', 'no policy signs (the default of xurrent)')
    .option('--header <name=value>', 'header to send along; may be repeated', collectPairs)
    .option('--timeout-ms <n>', 'how long an attempt may take', wholeNumber(1))
    .option('--retry-delays-ms <n,n,…>', 'how long to wait after each failed attempt', numberList)
    .option('--max-in-flight <n>', 'requests under way at a time', wholeNumber(1))
    .option('--rate-limit <n/s[,burst]>', 'attempts that may begin: 10/s, 30/min, 10/s,50', rateLimit)
    .option('--any-rate', 'as many attempts as it answers (the default)')
    .option('--metadata <name=value>', 'anything of yours; may be repeated', collectPairs)
    .option('--body <json>', 'any fields as JSON, @file, or -; the other options come on top');
}

/** The fields that were given, as the API names them. */
export async function endpointSettings(
  options: EndpointSettingsOptions,
  io: Pick<Io, 'stdin'>,
): Promise<Readonly<Record<string, unknown>>> {
  const contradictions = [
    options.eventType && options.allEventTypes ? '--event-type and --all-event-types' : '',
    options.label && options.anyLabels ? '--label and --any-labels' : '',
    options.filter !== undefined && options.anyPayload ? '--filter and --any-payload' : '',
    options.edition !== undefined && options.anyEdition ? '--edition and --any-edition' : '',
    options.rateLimit && options.anyRate ? '--rate-limit and --any-rate' : '',
    options.policy !== undefined && options.unsigned ? '--policy and --unsigned' : '',
    options.filter === '-' && options.body === '-' ? '--filter - and --body -' : '',
  ].filter((text) => text !== '');
  if (contradictions.length > 0) {
    throw new CliError(exitCodes.usage, `Give only one of ${contradictions.join(', and of ')}.`);
  }
  const given = {
    uid: options.uid,
    name: options.name,
    description: options.description,
    eventTypes: options.allEventTypes ? null : options.eventType,
    labels: options.anyLabels ? null : options.label,
    filter: options.anyPayload ? null : options.filter && (await readObject(options.filter, '--filter', io)),
    editionId: options.anyEdition ? null : options.edition,
    format: options.format,
    signing: options.signing,
    policy: options.unsigned ? null : options.policy,
    headers: options.header,
    timeoutMs: options.timeoutMs,
    retryDelaysMs: options.retryDelaysMs,
    maxInFlight: options.maxInFlight,
    rateLimit: options.anyRate ? null : options.rateLimit,
    metadata: options.metadata,
  };
  return {
    ...(options.body !== undefined && (await readObject(options.body, '--body', io))),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

async function readObject(text: string, name: string, io: Pick<Io, 'stdin'>): Promise<object> {
  let value: unknown;
  try {
    value = JSON.parse(await readData(text, io));
  } catch (error) {
    throw error instanceof CliError ? error : notJson(name, error);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new CliError(exitCodes.usage, `${name} must be a JSON object.`);
}
