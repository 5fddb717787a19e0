import {
  dispatchV1,
  replaySelectionFromMessage,
  replayStateTable,
  replayToMessage,
  replayTriggerFromMessage,
} from '@posthorn/contracts';
import {
  DomainError,
  newId,
  replayedStates,
  type ReplaySelection,
  type SigningEndpoint,
  type Violation,
} from '@posthorn/models';
import { defineService, requireOrganisation } from '@posthorn/rpc';
import { sleep, type Clock, type Logger, type Random } from '@posthorn/runtime';
import type { Directory } from '../directory.ts';
import type { EventStore } from '../events/event-store.ts';
import { gateOf } from '../lanes/gate.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import type { Job, JobStore } from '../jobs/job-store.ts';
import { pageRequest } from '../rpc/page-request.ts';
import { closedEndpoint } from './replay-job.ts';
import { writeReplaySpec } from './replay-selection.ts';
import { replayOf } from './replay-view.ts';

/** Replays of an organisation that may be unfinished at a time. */
const mostOpen = 10;
const mostPerSecond = 10_000;
/** How long the answer to a dry run waits for its end. */
const dryRunWaitMs = 5000;
const lookEveryMs = 25;

/** Sending many deliveries again: jobs are made, looked at and cancelled here; what they do is in replay-job.ts. */
export function createReplayRpc(options: {
  readonly jobs: JobStore;
  readonly runner: Pick<JobRunner, 'look'>;
  readonly events: Pick<EventStore, 'get'>;
  readonly directory: Pick<Directory, 'bringUpToDate' | 'load' | 'organisation'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}) {
  const { jobs, runner, events, directory, clock, random, logger } = options;

  async function find(organisationId: string, id: string): Promise<Job> {
    const job = await jobs.get(organisationId, id);
    if (job?.kind !== 'replay') throw new DomainError('not_found', `There is no replay ${id}.`);
    return job;
  }

  async function endpointNamed(
    organisationId: string,
    name: string | null,
  ): Promise<SigningEndpoint | undefined> {
    if (name === null) return undefined;
    await directory.bringUpToDate();
    await directory.load([organisationId]);
    const endpoints = [...(directory.organisation(organisationId)?.endpoints.values() ?? [])];
    return endpoints.find(({ endpoint }) => endpoint.id === name || endpoint.uid === name);
  }

  /** Waits for a dry run's end; answers it as it is then. */
  async function settled(job: Job, signal: AbortSignal): Promise<Job> {
    const until = clock.monotonic() + dryRunWaitMs;
    let seen = job;
    while (seen.finishedAt === null && clock.monotonic() < until && !signal.aborted) {
      await sleep(clock, lookEveryMs, signal);
      seen = await find(job.organisationId, job.id);
    }
    return seen;
  }

  const toMessage = (job: Job): dispatchV1.Replay => replayToMessage(replayOf(job, new Date(clock.now())));

  return defineService(dispatchV1.ReplayServiceService, {
    async createReplay(request, { principal, signal }) {
      const { organisationId, perSecond = null, dryRun } = request;
      requireOrganisation(principal, organisationId);
      const trigger = replayTriggerFromMessage(request.trigger);
      const asked = replaySelectionFromMessage(request.selection ?? dispatchV1.ReplaySelection.create());
      const signing = await endpointNamed(organisationId, asked.endpoint);
      const endpointField = trigger === 'manual' ? '/endpointId' : '/endpoint';
      const violations = [
        ...checkSelection(asked, signing, endpointField),
        ...(perSecond !== null && (perSecond < 1 || perSecond > mostPerSecond)
          ? [violation('/perSecond', 'out_of_range', `This must be from 1 to ${mostPerSecond}.`)]
          : []),
      ];
      if (violations.length > 0) throw DomainError.invalid(violations);
      if (signing !== undefined && !dryRun && gateOf(signing).kind === 'closed')
        throw closedEndpoint(signing);
      if ((await jobs.countOpen(organisationId, 'replay', mostOpen)) >= mostOpen) {
        throw new DomainError(
          'failed_precondition',
          `${mostOpen} replays of this organisation have not ended yet. Wait for one, or cancel it.`,
        );
      }
      const createdAt = new Date(clock.now());
      const latest = new Date(createdAt.getTime() + 1);
      const event = asked.eventId === null ? null : await events.get(organisationId, asked.eventId);
      const spec = writeReplaySpec({
        trigger,
        perSecond,
        dryRun,
        selection: {
          ...asked,
          endpoint: signing?.endpoint.id ?? null,
          states: asked.states.length > 0 || asked.includeUnmatched ? asked.states : replayedStates,
          until: asked.until === null || asked.until > latest ? latest : asked.until,
        },
        // An event that isn't there has no deliveries, at no time.
        eventAcceptedAt: asked.eventId === null ? null : (event?.acceptedAt ?? new Date(0)),
      });
      const job = await jobs.insert({
        id: newId(createdAt.getTime(), (count) => random.bytes(count)),
        organisationId,
        kind: 'replay',
        spec,
        counts: {},
        createdBy: principal.id,
        createdAt,
      });
      runner.look().catch((error: unknown) => {
        logger.error(
          { err: error, jobId: job.id },
          'a replay could not be begun at once; it is taken up later',
        );
      });
      return { replay: toMessage(dryRun ? await settled(job, signal) : job) };
    },

    async getReplay({ organisationId, id }, { principal }) {
      requireOrganisation(principal, organisationId);
      return { replay: toMessage(await find(organisationId, id)) };
    },

    async listReplays(request, { principal }) {
      const { organisationId } = request;
      requireOrganisation(principal, organisationId);
      const states = request.states.map((state) => replayStateTable.fromMessage(state, '?state'));
      const { items, nextCursor } = await jobs.list(
        { organisationId, kind: 'replay', states },
        pageRequest(request),
      );
      return { replays: items.map(toMessage), nextCursor };
    },

    async cancelReplay({ organisationId, id }, { principal }) {
      requireOrganisation(principal, organisationId);
      await find(organisationId, id);
      const cancelled = await jobs.cancel(organisationId, id, new Date(clock.now()));
      if (cancelled !== null) return { replay: toMessage(cancelled) };
      const { state } = await find(organisationId, id);
      throw new DomainError('failed_precondition', `The replay has ended already: it is ${state}.`);
    },
  });
}

function checkSelection(
  { endpoint, since, until, includeUnmatched }: ReplaySelection,
  found: SigningEndpoint | undefined,
  endpointField: string,
): readonly Violation[] {
  const violations: Violation[] = [];
  if (endpoint !== null && found === undefined) {
    violations.push(violation(endpointField, 'unknown', 'This names no endpoint of this organisation.'));
  }
  if (includeUnmatched && endpoint === null) {
    violations.push(
      violation('/endpoint', 'required', 'This must name the endpoint that gets what matched nothing.'),
    );
  }
  if (since !== null && until !== null && since >= until) {
    violations.push(violation('/until', 'out_of_range', 'This must be later than since.'));
  }
  return violations;
}

function violation(field: string, code: string, message: string): Violation {
  return { field, code, message };
}
