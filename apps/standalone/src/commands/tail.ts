/** `posthorn events tail` and `posthorn deliveries tail`: follow what is new until Ctrl-C. */
import { ApiError } from '../client/api-error.ts';
import type { Query } from '../client/api-client.ts';
import type { Moment } from '../arguments.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodes } from '../exit-codes.ts';
import { follow, type FollowOptions } from '../client/follow.ts';
import type { Output } from '../terminal/output.ts';
import type { DeliveryResource, EventResource } from '../client/resources.ts';
import type { Session } from '../session.ts';
import { formatTable, type Column } from '../terminal/table.ts';
import { deliveryColumns } from './attempt-view.ts';
import { eventColumns } from './event-view.ts';

export interface TailOptions {
  readonly after?: Moment | undefined;
}

export interface TailDeliveriesOptions extends TailOptions {
  readonly state?: readonly string[] | undefined;
  readonly endpoint?: string | undefined;
  readonly eventType?: string | undefined;
}

/** Follows new events; ends with the signal, which is how a tail is meant to end: exit code 0. */
export async function tailEvents(
  session: Session,
  options: TailOptions & { readonly query: Query },
): Promise<ExitCode> {
  const print = rowPrinter(session.output, eventColumns());
  const events = follow<EventResource>({
    ...followOptions(session, options),
    newest: (after) =>
      session.api.list<EventResource>('/v1/events', { limit: null, query: { ...options.query, after } }),
    idOf: ({ id }) => id,
    timeOf: ({ acceptedAt }) => acceptedAt,
  });
  for await (const event of events) await print(event);
  return exitCodes.ok;
}

/** Unfinished deliveries whose fate is followed; beyond this the oldest are let go. */
const maxFollowed = 500;
/** How many of them are read again in a round. */
const readAgainPerRound = 20;

/**
 * Follows new deliveries: one line when a delivery appears, and one each time its state or its number of attempts changes,
 * until it has ended. `state` chooses among these lines.
 */
export async function tailDeliveries(session: Session, options: TailDeliveriesOptions): Promise<ExitCode> {
  const { api, output } = session;
  const printRow = rowPrinter(output, deliveryColumns(output));
  const unfinished = new Map<string, DeliveryResource>();

  const show = async (delivery: DeliveryResource): Promise<void> => {
    // Deleted first, so that it goes to the end of the line of those to read again.
    unfinished.delete(delivery.id);
    if (delivery.state === 'pending' || delivery.state === 'retrying') unfinished.set(delivery.id, delivery);
    const [oldest] = unfinished.keys();
    if (unfinished.size > maxFollowed && oldest !== undefined) unfinished.delete(oldest);
    if (!options.state || options.state.includes(delivery.state)) await printRow(delivery);
  };
  const readAgain = async (): Promise<void> => {
    for (const before of [...unfinished.values()].slice(0, readAgainPerRound)) {
      const now = await readDelivery(session, before.id);
      if (now === 'gone') unfinished.delete(before.id);
      else if (now === 'away') return;
      else if (now.state !== before.state || now.attempts !== before.attempts) await show(now);
      else {
        unfinished.delete(before.id);
        unfinished.set(before.id, before);
      }
    }
  };

  const query = { endpointId: options.endpoint, eventType: options.eventType };
  const deliveries = follow<DeliveryResource>({
    ...followOptions(session, options),
    newest: (after) =>
      api.list<DeliveryResource>('/v1/deliveries', { limit: null, query: { ...query, after } }),
    idOf: ({ id }) => id,
    timeOf: ({ createdAt }) => createdAt,
    afterRound: readAgain,
  });
  for await (const delivery of deliveries) await show(delivery);
  return exitCodes.ok;
}

async function readDelivery({ api, io }: Session, id: string): Promise<DeliveryResource | 'gone' | 'away'> {
  try {
    return await api.send<DeliveryResource>('GET', `/v1/deliveries/${id}`);
  } catch (error) {
    if (error instanceof ApiError && error.problem.status === 404) return 'gone';
    if (io.signal.aborted || !(error instanceof ApiError) || error.problem.status >= 500) return 'away';
    throw error;
  }
}

function followOptions(
  { io, output }: Session,
  { after }: TailOptions,
): Pick<FollowOptions<never>, 'since' | 'clock' | 'signal' | 'onSkipped' | 'onAway'> {
  let isAway = false;
  return {
    since: after?.at(io.clock) ?? new Date(io.clock.now()).toISOString(),
    clock: io.clock,
    signal: io.signal,
    onSkipped: () => output.note('(more arrived than can be followed: some are left out)'),
    onAway: ({ message }) => {
      if (!isAway) output.note(`${message} Trying again until Ctrl-C.`);
      isAway = true;
    },
  };
}

/** Prints rows as they come: columns as wide as what was seen so far, the header before the first one. */
function rowPrinter<T>(output: Output, columns: readonly Column<T>[]): (row: T) => Promise<void> {
  let widths: readonly number[] | undefined;
  return async (row) => {
    if (output.json) return output.item(row, () => []);
    const table = formatTable([row], columns, {
      ...(widths && { after: widths }),
      headerStyle: (text) => output.style('bold', text),
    });
    widths = table.widths;
    for (const line of table.lines) await output.text(line);
  };
}
