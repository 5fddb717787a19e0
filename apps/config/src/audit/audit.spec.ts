import { auditRecordToMessage, configV1 } from '@posthorn/contracts';
import { DomainError, newId, type AuditRecord, type Principal } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import { createHarness, operator, service, tenant, useHarness, type Harness } from '../config.harness.ts';
import { openTemporaryStores } from '../stores/temporary-stores.harness.ts';

const source = { address: '203.0.113.9', userAgent: 'curl/8' };

describe('the audit log', () => {
  const harness = useHarness();

  async function listed(
    { audit }: Harness,
    search: Partial<configV1.ListAuditRecordsRequest> = {},
    principal: Principal = operator,
  ): Promise<readonly configV1.AuditRecord[]> {
    const request = configV1.ListAuditRecordsRequest.fromPartial(search);
    return (await audit.listAuditRecords(request, { principal })).records;
  }
  const summary = ({ action, resourceId, result, errorCode }: configV1.AuditRecord) => ({
    action,
    resourceId,
    result,
    errorCode,
  });
  const {
    AUDIT_RESULT_OK: ok,
    AUDIT_RESULT_REFUSED: refused,
    AUDIT_RESULT_FAILED: failed,
  } = configV1.AuditResult;

  it('has who did what to which resource from where, and which fields, but nothing of what was in them', async () => {
    const config = harness();
    const organisationId = await config.organisation('acme');
    const principal: Principal = { ...tenant(organisationId), name: 'shop' };
    config.clock.advance(1);
    const { endpoint } = await config.endpoint(organisationId);
    config.clock.advance(1);
    await config.endpoints.updateEndpoint(
      configV1.UpdateEndpointRequest.fromPartial({
        organisationId,
        idOrUid: endpoint.id,
        endpoint: { headers: { 'x-token': 'very-secret' }, timeoutMs: 5_000 },
        updateMask: ['headers', 'timeout_ms'],
      }),
      { principal, requestId: 'r-7', source },
    );
    const [newest, ...older] = await listed(config);
    expect(newest).toMatchObject({
      organisationId,
      actor: {
        kind: configV1.AuditActorKind.AUDIT_ACTOR_KIND_KEY,
        id: principal.id,
        name: 'shop',
        isOperator: false,
      },
      action: 'endpoint.update',
      resourceId: endpoint.id,
      changedFields: ['headers', 'timeoutMs'],
      result: ok,
      requestId: 'r-7',
      ...source,
    });
    expect(older.map(summary)).toMatchObject([
      { action: 'endpoint.create', resourceId: endpoint.id, result: ok },
      { action: 'organisation.create', resourceId: organisationId, result: ok },
    ]);
    expect(JSON.stringify([newest, ...older])).not.toContain('very-secret');
  });

  it('has what was refused, and what failed, each with its code', async () => {
    const config = harness();
    const organisationId = await config.organisation('acme');
    const reader = tenant(organisationId, 'keys:write');
    config.clock.advance(1);
    const key = configV1.ApiKey.fromPartial({ organisationId, name: 'more', scopes: ['*'] });
    await expect(config.keys.createKey({ key, token: undefined }, { principal: reader })).rejects.toThrow();
    const gone = { organisationId, id: 'not-there' };
    config.clock.advance(1);
    await expect(config.keys.deleteKey(gone, { principal: reader })).rejects.toThrow();
    expect((await listed(config)).slice(0, 2).map(summary)).toEqual([
      { action: 'key.delete', resourceId: 'not-there', result: failed, errorCode: 'not_found' },
      { action: 'key.create', resourceId: undefined, result: refused, errorCode: 'permission_denied' },
    ]);
  });

  it('has nothing of reading, but for signing secrets', async () => {
    const config = harness();
    const organisationId = await config.organisation('acme');
    const { endpoint } = await config.endpoint(organisationId);
    const principal = tenant(organisationId);
    const before = (await listed(config)).length;
    await config.endpoints.listEndpoints(configV1.ListEndpointsRequest.fromPartial({ organisationId }), {
      principal,
    });
    expect(await listed(config)).toHaveLength(before);
    config.clock.advance(1);
    await config.endpoints.listSecrets({ organisationId, idOrUid: endpoint.id }, { principal });
    const [newest] = await listed(config);
    expect(newest).toMatchObject({ action: 'endpoint.secrets.read', resourceId: endpoint.id });
  });

  it('shows a tenant its own organisation, and an operator all', async () => {
    const config = harness();
    const acme = await config.organisation('acme');
    const globex = await config.organisation('globex');
    await config.endpoint(acme);
    await config.endpoint(globex);
    const own = await listed(config, { organisationId: acme }, tenant(acme));
    expect(own.map(({ organisationId }) => organisationId)).toEqual([acme]);
    expect(await listed(config)).toHaveLength(4);
    expect(await listed(config, { actorId: operator.id })).toHaveLength(2);
    await expect(listed(config, { organisationId: globex }, tenant(acme))).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(listed(config, {}, tenant(acme))).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('puts what a tenant tries on another’s resources into its own log', async () => {
    const config = harness();
    const acme = await config.organisation('acme');
    const globex = await config.organisation('globex');
    const { endpoint } = await config.endpoint(globex);
    const call = config.endpoints.deleteEndpoint(
      { organisationId: globex, idOrUid: endpoint.id, expectedVersion: undefined },
      { principal: tenant(acme) },
    );
    await expect(call).rejects.toMatchObject({ code: 'not_found' });
    expect((await listed(config, { organisationId: acme })).map(summary)).toMatchObject([
      { action: 'endpoint.delete', result: failed, errorCode: 'not_found' },
    ]);
  });

  it('is written by services only', async () => {
    const { audit } = harness();
    const random = createSeededRandom(5);
    const record: AuditRecord = {
      id: newId(1_000, (count) => random.bytes(count)),
      occurredAt: new Date(1_000),
      organisationId: null,
      actor: { kind: 'key', id: 'k', name: null, isOperator: true },
      action: 'delivery.retry',
      resourceId: 'd1',
      changedFields: [],
      result: 'ok',
      errorCode: null,
      address: null,
      userAgent: null,
      requestId: 'r',
    };
    const message = { record: auditRecordToMessage(record) };
    const end = { id: record.id, result: ok, errorCode: undefined, resourceId: undefined };
    await expect(audit.beginAction(message, { principal: operator })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(audit.endAction(end, { principal: operator })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await audit.beginAction(message, { principal: service });
    const [begun] = await listed(harness());
    expect(begun?.result).toBe(configV1.AuditResult.AUDIT_RESULT_UNKNOWN);
    await audit.endAction(end, { principal: service });
    expect((await listed(harness(), { result: ok })).map(({ id }) => id)).toEqual([record.id]);
  });

  it('pages from the newest to the oldest', async () => {
    const config = harness();
    for (const slug of ['a1', 'a2', 'a3']) await config.organisation(slug);
    const request = configV1.ListAuditRecordsRequest.fromPartial({ limit: 2 });
    const first = await config.audit.listAuditRecords(request, { principal: operator });
    expect(first.records).toHaveLength(2);
    const rest = { ...request, cursor: first.nextCursor };
    const last = await config.audit.listAuditRecords(rest, { principal: operator });
    expect(last.records).toHaveLength(1);
    expect(last.nextCursor).toBe('');
  });
});

describe('when the audit log can’t be written', () => {
  it('nothing is done', async () => {
    const temporary = await openTemporaryStores();
    const away = new DomainError('unavailable', 'away');
    const audit = { ...temporary.stores.audit, begin: () => Promise.reject(away) };
    const config = createHarness({ ...temporary.stores, audit });
    await expect(config.organisation('acme')).rejects.toMatchObject({ code: 'unavailable' });
    expect(await temporary.stores.organisations.find('acme')).toBeNull();
    await config.config.stop();
    await temporary.close();
  });

  it('an action whose end can’t be told stays on record as unknown, and is answered', async () => {
    const temporary = await openTemporaryStores();
    const away = new DomainError('unavailable', 'away');
    const audit = { ...temporary.stores.audit, end: () => Promise.reject(away) };
    const config = createHarness({ ...temporary.stores, audit });
    expect(await config.organisation('acme')).not.toBe('');
    const request = configV1.ListAuditRecordsRequest.fromPartial({});
    const { records } = await config.audit.listAuditRecords(request, { principal: operator });
    expect(records.map(({ action, result }) => [action, result])).toEqual([
      ['organisation.create', configV1.AuditResult.AUDIT_RESULT_UNKNOWN],
    ]);
    await config.config.stop();
    await temporary.close();
  });
});
