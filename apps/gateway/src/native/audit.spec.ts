import { auditRecordToMessage, configV1 } from '@posthorn/contracts';
import type { AuditRecord } from '@posthorn/models';
import { acme, tokens } from '../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

const record: AuditRecord = {
  id: '019aa0c4-21f3-4c5d-9d0e-5b1f7a3c2e10',
  occurredAt: new Date('2026-01-31T12:00:00.000Z'),
  organisationId: acme.id,
  actor: { kind: 'key', id: 'k1', name: 'shop', isOperator: false },
  action: 'endpoint.update',
  resourceId: 'e1',
  changedFields: ['url'],
  result: 'failed',
  errorCode: 'not_found',
  address: '203.0.113.9',
  userAgent: 'curl/8',
  requestId: 'r1',
};

describe('the audit log', () => {
  let running: TestGateway;
  let asked: configV1.ListAuditRecordsRequest | undefined;
  let seen: { address: string | undefined; userAgent: string | undefined } | undefined;

  beforeAll(async () => {
    running = await startTestGateway({
      config: { trustedProxies: ['127.0.0.0/8', '::1'] },
      handlers: {
        audit: {
          listAuditRecords: (request) => {
            asked = request;
            return Promise.resolve({ records: [auditRecordToMessage(record)], nextCursor: 'more' });
          },
        },
        keys: {
          deleteKey: (_, { source }) => {
            seen = source && { address: source.address, userAgent: source.userAgent };
            return Promise.resolve({});
          },
        },
      },
    });
  });
  afterAll(() => running.gateway.stop(0));

  test('shows who did what to which resource, from where, and how it ended', async () => {
    const answer = await running.call('GET', '/v1/audit');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      data: [
        {
          id: record.id,
          occurredAt: '2026-01-31T12:00:00.000Z',
          organisation: acme.id,
          actor: { kind: 'key', id: 'k1', name: 'shop', operator: false },
          action: 'endpoint.update',
          resource: 'e1',
          changedFields: ['url'],
          result: 'failed',
          error: 'not_found',
          address: '203.0.113.9',
          userAgent: 'curl/8',
          requestId: 'r1',
        },
      ],
      nextCursor: 'more',
    });
    expect(asked).toMatchObject({ organisationId: acme.id, limit: 50, result: 0 });
  });

  test('is asked for by actor, action, resource, result and time', async () => {
    const query =
      'actor=k1&action=key.delete&resource=r&result=refused&after=2026-01-01T00:00:00Z&before=2026-02-01T00:00:00Z&limit=5';
    expect((await running.call('GET', `/v1/audit?${query}`)).status).toBe(200);
    expect(asked).toEqual({
      organisationId: acme.id,
      limit: 5,
      cursor: '',
      actorId: 'k1',
      action: 'key.delete',
      resourceId: 'r',
      result: configV1.AuditResult.AUDIT_RESULT_REFUSED,
      after: new Date('2026-01-01T00:00:00Z'),
      before: new Date('2026-02-01T00:00:00Z'),
    });
  });

  test('an operator that names no organisation asks for all', async () => {
    expect((await running.call('GET', '/v1/audit', { token: tokens.operator })).status).toBe(200);
    expect(asked?.organisationId).toBeUndefined();
  });

  test('needs a scope of its own', async () => {
    expect((await running.call('GET', '/v1/audit', { token: tokens.reader })).status).toBe(403);
  });

  test('what is on record of a request is where it came from, past the proxies that are known', async () => {
    const headers = { 'User-Agent': 'curl/8', 'X-Forwarded-For': '1.2.3.4, 198.51.100.7' };
    expect((await running.call('DELETE', '/v1/keys/k9', { headers })).status).toBe(204);
    expect(seen).toEqual({ address: '198.51.100.7', userAgent: 'curl/8' });
  });
});
