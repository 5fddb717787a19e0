/** What is done with webhook configs: endpoints of the dialect ricloud. */
import { configV1, dialectTable, endpointStateTable, verificationTable } from '@posthorn/contracts';
import type { EndpointState, Task, UrlPolicy, Verification } from '@posthorn/models';
import type { DialectCall } from '../dialect.ts';
import { findEndpoint, foundEndpoint, organisationIdsOf, type FoundEndpoint } from '../find-endpoint.ts';
import { parsePage, renderList, type RicloudList } from './paging.ts';
import { invalid, parseConfigChanges, parseConfigFilter, parseNewConfig, type ConfigState } from './parse.ts';
import { renderConfig, type RicloudConfig } from './render.ts';
import { runTest, runTestOf, type TestDeps } from './run-test.ts';

export interface ConfigDeps extends TestDeps {
  readonly urlPolicy: UrlPolicy;
}

/** Which endpoints are shown in a state. */
const endpointsIn: Readonly<
  Record<
    ConfigState,
    { readonly states: readonly EndpointState[]; readonly verifications: readonly Verification[] }
  >
> = {
  new: { states: ['enabled', 'paused'], verifications: ['none', 'pending'] },
  valid: { states: ['enabled', 'paused'], verifications: ['passed'] },
  invalid: { states: ['enabled', 'paused'], verifications: ['failed'] },
  deactivated: { states: ['disabled'], verifications: [] },
};
const unlessDeactivated = { states: ['enabled', 'paused'], verifications: [] } as const;

/** Reads one; `not_found` for anything else. */
export function readConfig(deps: ConfigDeps, id: string, call: DialectCall): Promise<FoundEndpoint> {
  return findEndpoint(deps.clients, 'ricloud', id, call);
}

/** The list that the parameters ask for, newest first. */
export async function listConfigs(deps: ConfigDeps, call: DialectCall): Promise<RicloudList<RicloudConfig>> {
  const page = parsePage(call.query);
  const { state, created } = parseConfigFilter(call.query);
  const { states, verifications } = state === null ? unlessDeactivated : endpointsIn[state];
  const found = await deps.clients.endpoints.searchEndpoints(
    configV1.SearchEndpointsRequest.fromPartial({
      organisationIds: organisationIdsOf(call),
      dialect: dialectTable.toMessage('ricloud'),
      states: states.map(endpointStateTable.toMessage),
      verifications: verifications.map(verificationTable.toMessage),
      ...(created.after && {
        createdAfter: created.after.at,
        createdAfterInclusive: created.after.inclusive,
      }),
      ...(created.before && {
        createdBefore: created.before.at,
        createdBeforeInclusive: created.before.inclusive,
      }),
      orderBy: configV1.EndpointOrder.ENDPOINT_ORDER_CREATED,
      descending: true,
      limit: page.limit,
      afterId: page.afterId,
      beforeId: page.beforeId,
      includeSecrets: true,
    }),
    call.rpc,
  );
  const items = found.endpoints.map((message) => renderConfig(foundEndpoint(message)));
  return renderList(items, { hasMore: found.hasMore, total: found.total, url: call.path });
}

/** Makes one, which starts its test. */
export async function createConfig(deps: ConfigDeps, call: DialectCall): Promise<FoundEndpoint> {
  const { url } = parseNewConfig(call.body, deps.urlPolicy);
  const { organisationId } = call;
  if (organisationId === null)
    throw invalid(
      '?Posthorn-Organisation',
      'required',
      'An operator key names the organisation in this header.',
    );
  const created = await deps.clients.endpoints.createEndpoint(
    {
      endpoint: configV1.Endpoint.fromPartial({
        organisationId,
        dialect: dialectTable.toMessage('ricloud'),
        url,
      }),
      secret: undefined,
      given: [],
    },
    call.rpc,
  );
  return runTestOf(deps, foundEndpoint(created), call);
}

/** Changes one, in one write, which starts its test unless it is, or becomes, deactivated. */
export async function updateConfig(deps: ConfigDeps, id: string, call: DialectCall): Promise<FoundEndpoint> {
  const { endpoint: before, secret } = await readConfig(deps, id, call);
  const { url, state } = parseConfigChanges(call.body, deps.urlPolicy);
  const isDisabled = state === undefined ? before.state === 'disabled' : state === 'deactivated';
  // A config that is paused natively stays so.
  const hasNewState = isDisabled !== (before.state === 'disabled');
  const changed = await deps.clients.endpoints.updateEndpoint(
    configV1.UpdateEndpointRequest.fromPartial({
      organisationId: before.organisationId,
      idOrUid: before.id,
      endpoint: { url: url ?? '', state: endpointStateTable.toMessage(isDisabled ? 'disabled' : 'enabled') },
      updateMask: [...(url === undefined ? [] : ['url']), ...(hasNewState ? ['state'] : [])],
      startVerification: !isDisabled,
    }),
    call.rpc,
  );
  const after = { endpoint: foundEndpoint(changed).endpoint, secret };
  return isDisabled ? after : runTestOf(deps, after, call);
}

/** Tests one again; what is deactivated is sent nothing. */
export async function testConfig(deps: ConfigDeps, id: string, call: DialectCall): Promise<Task> {
  const { endpoint } = await readConfig(deps, id, call);
  if (endpoint.state === 'disabled')
    throw invalid('/state', 'deactivated', 'A deactivated config is not tested; set its state to new.');
  const started = await deps.clients.endpoints.startVerification(
    { organisationId: endpoint.organisationId, idOrUid: endpoint.id },
    call.rpc,
  );
  return runTest(deps, foundEndpoint(started).endpoint, call);
}

/** Deletes one, and answers with what it was. */
export async function deleteConfig(deps: ConfigDeps, id: string, call: DialectCall): Promise<FoundEndpoint> {
  const found = await readConfig(deps, id, call);
  const { organisationId } = found.endpoint;
  await deps.clients.endpoints.deleteEndpoint(
    { organisationId, idOrUid: found.endpoint.id, expectedVersion: undefined },
    call.rpc,
  );
  return found;
}

/** Whether the organisation has a config that events can go to; operators who name none ask about any. */
export async function hasValidConfig(deps: ConfigDeps, call: DialectCall): Promise<boolean> {
  const { states, verifications } = endpointsIn.valid;
  const { total } = await deps.clients.endpoints.searchEndpoints(
    configV1.SearchEndpointsRequest.fromPartial({
      organisationIds: organisationIdsOf(call),
      dialect: dialectTable.toMessage('ricloud'),
      states: states.map(endpointStateTable.toMessage),
      verifications: verifications.map(verificationTable.toMessage),
    }),
    call.rpc,
  );
  return total > 0n;
}
