import { auditRecordFromMessage, configV1 } from '@posthorn/contracts';
import type { AuditRecord } from '@posthorn/models';
import {
  createNetworkClient,
  createRemoteAuditLog,
  createRpcServer,
  principalFromMetadata,
  type RpcServer,
} from '@posthorn/rpc';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { operator, service, tenant, useHarness } from './config.harness.ts';
import { sampleId } from './stores/sample-resources.harness.ts';

/** What the other specs show in process holds over the network: everything survives the wire. */
describe('the config service over the network', () => {
  const harness = useHarness();
  let server: RpcServer;
  let address: string;

  beforeEach(async () => {
    server = createRpcServer({
      services: harness().config.services,
      authenticate: principalFromMetadata,
      host: '127.0.0.1',
      port: 0,
      logger: silentLogger,
      metrics: createMetrics(),
    });
    address = `127.0.0.1:${await server.start()}`;
  });
  afterEach(() => server.stop(1000));

  it('answers as it does in process, with every field of an endpoint and its secrets', async () => {
    const organisationId = await harness().organisation('acme');
    const endpoints = createNetworkClient(configV1.EndpointServiceService, address);
    const directory = createNetworkClient(configV1.DirectoryServiceService, address);
    const endpoint: configV1.Endpoint = {
      ...configV1.Endpoint.fromPartial({ organisationId, url: 'https://receiver.example', uid: 'mine' }),
      eventTypes: { values: ['order.*'] },
      labels: { anyOf: { region: { values: ['eu'] } } },
      filterJson: '{"amount":{"$gt":10}}',
      signing: [configV1.SignatureScheme.SIGNATURE_SCHEME_V1, configV1.SignatureScheme.SIGNATURE_SCHEME_V1A],
      headers: { 'X-Key': 'value' },
      metadata: { team: 'a' },
    };
    const created = await endpoints.createEndpoint(
      { endpoint, secret: undefined, given: ['retry_delays_ms'] },
      { principal: tenant(organisationId) },
    );
    const request = { organisationId, idOrUid: 'mine' };
    const as = { principal: tenant(organisationId) };
    expect(created.endpoint?.retryDelaysMs).toEqual([]);
    expect({ endpoint: created.endpoint, secrets: [] }).toEqual(
      await harness().endpoints.getEndpoint(request, as),
    );
    expect({ secrets: created.secrets }).toEqual(await harness().endpoints.listSecrets(request, as));
    const view = { organisationId, cursor: '', omitEndpoints: false };
    expect(await directory.getOrganisationView(view, { principal: service })).toEqual(
      await harness().directory.getOrganisationView(view, { principal: service }),
    );
    endpoints.close();
    directory.close();
  });

  it('refuses as it does in process, with every violation', async () => {
    const organisations = createNetworkClient(configV1.OrganisationServiceService, address);
    const organisation = configV1.Organisation.fromPartial({ slug: 'No Slug', timeZone: 'Mars/Olympus' });
    const [remote, local] = await Promise.all(
      [organisations, harness().organisations].map((client) =>
        client.createOrganisation({ organisation }, { principal: operator }).catch((error: unknown) => error),
      ),
    );
    expect(remote).toMatchObject({
      code: 'invalid_argument',
      violations: [{ field: '/slug' }, { field: '/timeZone' }],
    });
    expect(remote).toEqual(local);
    organisations.close();
  });

  it('gives kept answers again, byte for byte', async () => {
    const idempotency = createNetworkClient(configV1.IdempotencyServiceService, address);
    const key = { owner: 'operator', key: 'k', digest: new Uint8Array(32) };
    const { reservation } = await idempotency.reserve(key, { principal: service });
    const answer = { status: 201, headers: { etag: '"1"' }, body: Buffer.from([0, 255, 10]) };
    await idempotency.complete({ ...key, answer, reservation }, { principal: service });
    const again = await idempotency.reserve(key, { principal: service });
    expect(again.answer).toMatchObject({ status: 201, headers: answer.headers });
    expect([...(again.answer?.body ?? [])]).toEqual([0, 255, 10]);
    idempotency.close();
  });

  it('takes what another service did into the audit log', async () => {
    const audit = createNetworkClient(configV1.AuditServiceService, address);
    const log = createRemoteAuditLog(audit, service);
    const record: AuditRecord = {
      id: sampleId(1),
      occurredAt: new Date('2026-01-31T12:00:00.000Z'),
      organisationId: 'o1',
      actor: { kind: 'token', id: 'alice', name: null, isOperator: false },
      action: 'delivery.retry',
      resourceId: 'd1',
      changedFields: [],
      result: 'unknown',
      errorCode: null,
      address: '203.0.113.9',
      userAgent: 'curl/8 “ü”',
      requestId: 'r1',
    };
    await log.begin(record);
    await log.end(record.id, { result: 'failed', errorCode: 'failed_precondition', resourceId: null });
    const request = configV1.ListAuditRecordsRequest.fromPartial({ organisationId: 'o1' });
    const { records } = await audit.listAuditRecords(request, { principal: tenant('o1') });
    expect(records.map(auditRecordFromMessage)).toEqual([
      { ...record, result: 'failed', errorCode: 'failed_precondition' },
    ]);
    audit.close();
  });
});
