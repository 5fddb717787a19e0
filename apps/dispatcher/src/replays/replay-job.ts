/**
 * A replay, page by page (job-runner.ts): deliveries are made due in storage, and go out from there as everything that waits does, in
 * their turn, in their key's order and within their endpoint's bounds. While a good deal is due to an endpoint, no more is added: a
 * replay goes as fast as its endpoint takes it, fills no memory, and what is published meanwhile doesn't stand behind all of it.
 *
 * A delivery that is found in another state when its turn comes, or in someone's hands, is left alone. Nothing is made of an event that
 * isn't planned yet: its planning sees the endpoint anyway.
 */
import { createDeliveryIds, DomainError, type SigningEndpoint } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory, OrganisationView } from '../directory.ts';
import type { DueClock } from '../due-clock.ts';
import { gateOf } from '../lanes/gate.ts';
import type { JobHandler, JobPage, JobStep } from '../jobs/job-runner.ts';
import type { Job } from '../jobs/job-store.ts';
import type { KeyOrder } from '../lanes/key-order.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Ownership } from '../ownership/ownership.ts';
import { newDelivery, orderOf } from '../plan.ts';
import type { IsPlanned } from '../ownership/planned.ts';
import {
  addTally,
  atBeginning,
  countsToSendWith,
  createTally,
  readReplayCursor,
  skip,
  type ReplayCursor,
  type ReplayTally,
} from './replay-cursor.ts';
import {
  idRangeOf,
  isSelected,
  isSelectedUnmatched,
  readReplaySpec,
  type ReplaySpec,
} from './replay-selection.ts';
import { mayEndBetween, readEvents, readRows } from './replay-rows.ts';
import type { PlacedEvent, ReplayableDelivery, ReplayStore } from './replay-store.ts';

export interface ReplayJobOptions {
  readonly replays: ReplayStore;
  readonly deliveries: Pick<DeliveryStore, 'claimNow'>;
  readonly directory: Pick<Directory, 'bringUpToDate' | 'load' | 'organisation'>;
  readonly isPlanned: IsPlanned;
  readonly lanes: Pick<Lanes, 'noteStored'> & { readonly keys: Pick<KeyOrder, 'recheck'> };
  readonly ownership: Pick<Ownership, 'find'>;
  /** The partition that alone sends to an endpoint, if there is one. */
  readonly homeOf: (endpoint: SigningEndpoint) => number | null;
  readonly clock: Clock;
  readonly dueClock: DueClock;
}

/** Rows that a page looks at, and events (they bring their payloads along). */
const rowsAtOnce = 500;
const eventsAtOnce = 50;
/** Endpoints that are walked side by side. */
const walksAtOnce = 32;
/** What may be due to an endpoint for more to be added. */
const mostDue = 1000;
const askForRoomMs = 250;
const askWhetherResumedMs = 2000;

/** What a page is about. */
interface PageContext {
  readonly job: Job;
  readonly spec: ReplaySpec;
  readonly cursor: ReplayCursor;
  readonly view: OrganisationView;
  readonly page: JobPage;
  readonly tally: ReplayTally;
}

/** Null: there is no room anywhere now. */
type Walked = Pick<ReplayCursor, 'walks' | 'begun' | 'events'> | null;

/** A delivery that is to be made due, or made. */
interface Candidate {
  readonly found: ReplayableDelivery;
  readonly signing: SigningEndpoint;
}

export function createReplayJob(options: ReplayJobOptions): JobHandler {
  const { replays, deliveries, directory, isPlanned, lanes, ownership, homeOf, clock, dueClock } = options;

  async function step(job: Job, page: JobPage): Promise<JobStep> {
    const spec = readReplaySpec(job);
    const cursor = readReplayCursor(job);
    const { organisationId } = job;
    await directory.bringUpToDate();
    await directory.load([organisationId]);
    const view = directory.organisation(organisationId);
    if (view === null) throw new DomainError('not_found', 'The organisation was deleted.');
    const context: PageContext = { job, spec, cursor, view, page, tally: createTally() };
    const waitMs = spec.selection.endpoint === null ? null : waitFor(context, spec.selection.endpoint);
    if (waitMs !== null) return { ...standing(context), waitMs };

    const walked = spec.selection.includeUnmatched
      ? await walkEvents(context)
      : await walkDeliveries(context);
    if (walked === null) return { ...standing(context), waitMs: askForRoomMs };
    const { tally } = context;
    const isThrough = walked.begun === null && Object.keys(walked.walks).length === 0;
    const counts = addTally(job.counts, tally, cursor.phase);
    if (isThrough && cursor.phase === 'count' && !spec.dryRun) {
      const sending: ReplayCursor = {
        ...atBeginning,
        phase: 'send',
        sendingSince: clock.now(),
      };
      return {
        cursor: JSON.stringify(sending),
        counts: countsToSendWith(counts),
        worked: 0,
        isDone: false,
      };
    }
    return {
      cursor: JSON.stringify({ ...cursor, ...walked }),
      counts: isThrough && spec.dryRun ? { ...counts, total: counts['found'] ?? 0 } : counts,
      worked: tally.done,
      isDone: isThrough,
    };
  }

  /** Where it stands, as it was. */
  function standing({ job }: PageContext): JobStep {
    return { cursor: job.cursor, counts: job.counts, worked: 0, isDone: false };
  }

  /** Whether to wait for the one endpoint that it is about; it fails when that takes nothing any more. */
  function waitFor({ view, spec, cursor }: PageContext, endpointId: string): number | null {
    const signing = view.endpoints.get(endpointId);
    if (signing === undefined) throw new DomainError('failed_precondition', 'The endpoint was deleted.');
    if (spec.dryRun) return null;
    const gate = gateOf(signing);
    if (gate.kind === 'closed') throw closedEndpoint(signing);
    return gate.kind === 'waits' && cursor.phase === 'send' ? askWhetherResumedMs : null;
  }

  async function walkDeliveries(context: PageContext): Promise<Walked> {
    const { spec, cursor, view } = context;
    const { walks, begun } = beginWalks(spec, cursor, view);
    const endpointId = await whoseTurn(context, Object.keys(walks));
    if (endpointId === undefined) {
      return Object.keys(walks).length === 0 ? { walks, begun, events: '' } : null;
    }
    const { [endpointId]: after = '', ...others } = walks;
    const signing = view.endpoints.get(endpointId);
    const last = signing === undefined ? null : await walkEndpoint(context, signing, after);
    return { walks: last === null ? others : { ...others, [endpointId]: last }, begun, events: '' };
  }

  /** Goes on at one endpoint; answers where it stands then, null at the end. */
  async function walkEndpoint(
    context: PageContext,
    signing: SigningEndpoint,
    after: string,
  ): Promise<string | null> {
    const { job, spec, page } = context;
    const { organisationId } = job;
    const { endpoint } = signing;
    const { to } = idRangeOf(spec);
    const rows = await readRows(replays, endpoint, { organisationId, after, to, limit: rowsAtOnce });
    const candidates: Candidate[] = [];
    let last = after;
    for (const found of rows) {
      if (candidates.length >= page.limit && mayEndBetween(endpoint, last, found.delivery.id)) {
        await take(context, candidates);
        return last;
      }
      if (isSelected(spec, found)) candidates.push({ found, signing });
      last = found.delivery.id;
    }
    await take(context, candidates);
    return rows.length < rowsAtOnce ? null : last;
  }

  /** The first of the endpoints that has room; when only counting, each has. */
  async function whoseTurn(
    { job, cursor, view }: PageContext,
    endpointIds: readonly string[],
  ): Promise<string | undefined> {
    for (const endpointId of endpointIds) {
      const signing = view.endpoints.get(endpointId);
      const takesNothing = signing === undefined || gateOf(signing).kind !== 'open';
      if (cursor.phase === 'count' || takesNothing || (await hasRoom(job.organisationId, endpointId))) {
        return endpointId;
      }
    }
    return undefined;
  }

  async function hasRoom(organisationId: string, endpointId: string): Promise<boolean> {
    const now = new Date(dueClock.now());
    return (await replays.backlog({ organisationId, endpointId }, now, mostDue)) < mostDue;
  }

  async function walkEvents(context: PageContext): Promise<Walked> {
    const { job, spec, cursor, view, page, tally } = context;
    const { organisationId } = job;
    const signing = view.endpoints.get(spec.selection.endpoint ?? '');
    if (signing === undefined) throw new DomainError('failed_precondition', 'The endpoint was deleted.');
    if (cursor.phase === 'send' && !(await hasRoom(organisationId, signing.endpoint.id))) return null;
    const { since, until } = spec.selection;
    let next: string | null = cursor.events;
    for (let seen = 0; next !== null && seen < rowsAtOnce && !page.signal.aborted; seen += eventsAtOnce) {
      const left = page.limit - tally.done;
      if (left <= 0) break;
      const slice = await readEvents(replays, signing.endpoint, {
        organisationId,
        after: next,
        since: since ?? new Date(0),
        until,
        limit: Math.min(eventsAtOnce, left),
      });
      await takeEvents(context, signing, slice.events);
      next = slice.next;
    }
    return { walks: {}, begun: next === null ? null : '', events: next ?? '' };
  }

  async function takeEvents(
    context: PageContext,
    signing: SigningEndpoint,
    events: readonly PlacedEvent[],
  ): Promise<void> {
    const { job, spec, view } = context;
    const { organisationId } = job;
    const { id: endpointId } = signing.endpoint;
    const ids = events.map(({ event }) =>
      createDeliveryIds({ acceptedAt: event.acceptedAt, organisationId, eventId: event.id })(endpointId),
    );
    const known = await replays.findDeliveries(organisationId, ids);
    const onRecord: Candidate[] = [];
    for (const [index, placed] of events.entries()) {
      const id = ids[index] ?? '';
      const found = known.get(id);
      if (found !== undefined) {
        if (isSelected(spec, found)) onRecord.push({ found, signing });
      } else if (isSelectedUnmatched(spec, placed.event) && wants(view, signing, placed)) {
        await makeOne(context, { signing, id, placed });
      }
    }
    await take(context, onRecord);
  }

  /** Makes the delivery that planning would have made if the endpoint had been then as it is now. */
  async function makeOne(
    { cursor, spec, tally }: PageContext,
    { signing, id, placed }: { signing: SigningEndpoint; id: string; placed: PlacedEvent },
  ): Promise<void> {
    const { event, partition, position } = placed;
    tally.found += 1;
    if (!(await isPlanned(placed))) {
      skip(tally, 'not_planned');
      return;
    }
    if (cursor.phase === 'count') return;
    const now = dueClock.now();
    const due = new Date(Math.max(now, event.deliverAt?.getTime() ?? 0));
    const order = orderOf(event, position, signing);
    await deliveries.claimNow({
      delivery: newDelivery(event, signing.endpoint.id, id, new Date(clock.now())),
      partition,
      epoch: 0,
      order,
      trigger: spec.trigger,
      now: due,
      claim: null,
      claimedUntil: due,
    });
    tally.done += 1;
    tell(signing, due.getTime(), [{ partition, key: order?.key ?? null }]);
  }

  /** Makes those due that can be, and counts. */
  async function take(
    { job, spec, cursor, tally }: PageContext,
    candidates: readonly Candidate[],
  ): Promise<void> {
    const [first] = candidates;
    if (first === undefined) return;
    const { organisationId } = job;
    const { signing } = first;
    tally.found += candidates.length;
    const gate = gateOf(signing);
    const eventIds = [...new Set(candidates.map(({ found }) => found.delivery.eventId))];
    const places = await replays.placesOf(organisationId, eventIds);
    const sendable = candidates.flatMap(({ found: { delivery } }) => {
      const place = places.get(delivery.eventId);
      // What isn't about one endpoint passes over those that take nothing; what is waits for it, or fails.
      const isPassedOver = gate.kind !== 'open' && spec.selection.endpoint === null;
      if (place === undefined) skip(tally, 'payload_expired');
      else if (place.position === 0) skip(tally, 'test');
      else if (isPassedOver) skip(tally, gate.kind === 'waits' ? 'endpoint_not_ready' : 'endpoint_disabled');
      else
        return [
          {
            id: delivery.id,
            organisationId,
            order: orderOf(place, place.position, signing),
            partition: homeOf(signing) ?? place.partition,
          },
        ];
      return [];
    });
    if (cursor.phase === 'count' || sendable.length === 0) return;
    const now = dueClock.now();
    const made = await replays.makeDue({
      items: sendable.map((one) => ({ ...one, isOurs: ownership.find(one.partition)?.state === 'held' })),
      states: spec.selection.states,
      trigger: spec.trigger,
      now: new Date(now),
    });
    tally.done += made.size;
    for (const { id } of sendable) if (!made.has(id)) skip(tally, 'in_progress');
    const dueNow = sendable
      .filter(({ id }) => made.has(id))
      .map(({ partition, order }) => ({ partition, key: order?.key ?? null }));
    tell(signing, now, dueNow);
  }

  /** Tells the lanes of this process; those of others look every few seconds, and are told of what has a key. */
  function tell(
    { endpoint: { organisationId, id: endpointId } }: SigningEndpoint,
    dueAt: number,
    made: readonly { readonly partition: number; readonly key: string | null }[],
  ): void {
    if (made.some(({ key }) => key === null)) lanes.noteStored(organisationId, endpointId, dueAt);
    const told = new Set<string>();
    for (const { partition, key } of made) {
      const holding = key === null ? undefined : ownership.find(partition);
      if (key === null || holding?.state !== 'held' || told.has(`${partition} ${key}`)) continue;
      told.add(`${partition} ${key}`);
      lanes.keys.recheck(holding, { organisationId, endpointId, key });
    }
  }

  return {
    step,
    perSecond(job) {
      return readReplayCursor(job).phase === 'send' ? readReplaySpec(job).perSecond : null;
    },
  };
}

/** `failed_precondition`: the endpoint takes nothing until its owner has done something about it. */
export function closedEndpoint({ endpoint }: SigningEndpoint): DomainError {
  const { state, stateReason } = endpoint;
  const why = stateReason === null ? '' : ` (${stateReason})`;
  return new DomainError(
    'failed_precondition',
    state === 'disabled'
      ? `The endpoint is disabled${why}. Enable it first: what it has missed is kept.`
      : 'The endpoint has not passed its verification, so nothing can be sent to it.',
  );
}

function beginWalks(
  spec: ReplaySpec,
  cursor: ReplayCursor,
  view: OrganisationView,
): Pick<ReplayCursor, 'walks' | 'begun'> {
  const { after } = idRangeOf(spec);
  const walks: Record<string, string> = { ...cursor.walks };
  const named = spec.selection.endpoint;
  if (named !== null) {
    if (cursor.begun === '') walks[named] = after;
    return { walks, begun: null };
  }
  let { begun } = cursor;
  const room = walksAtOnce - Object.keys(walks).length;
  if (begun === null || room <= 0) return { walks, begun };
  const last = begun;
  const open = [...view.endpoints.keys()].filter((id) => id > last).sort();
  for (const id of open.slice(0, room)) {
    walks[id] = after;
    begun = id;
  }
  return { walks, begun: open.length <= room ? null : begun };
}

/** Whether the endpoint, as it is now, would get the event. */
function wants(view: OrganisationView, { endpoint }: SigningEndpoint, { event }: PlacedEvent): boolean {
  const matched = view.matcher.match(event, () => JSON.parse(decoder.decode(event.payload)) as unknown);
  return matched.some((one) => one.endpoint.id === endpoint.id);
}

const decoder = new TextDecoder();
