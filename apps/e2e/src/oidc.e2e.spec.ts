import { ingestV1 } from '@posthorn/contracts';
import { servicePrincipal } from '@posthorn/models';
import { createNetworkClient } from '@posthorn/rpc';
import { startReceiver, startTestIssuer, type Receiver, type TestIssuer } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createRestClient, type RestClient } from './rest-client.ts';
import { createTenant, patienceMs, type PageAnswer, type Tenant } from './tenant.ts';

let issuer: TestIssuer;
let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  issuer = await startTestIssuer({ now: Date.now });
  platform = await preparePlatform({
    env: {
      POSTHORN_GRPC_PORT: '0',
      POSTHORN_OIDC_ISSUER: issuer.issuer,
      POSTHORN_OIDC_AUDIENCE: 'posthorn',
      POSTHORN_OIDC_SCOPES_CLAIM: 'roles',
    },
  });
  await platform.start();
  receiver = await startReceiver();
  tenant = await createTenant(platform);
  await tenant.endpoint({ url: receiver.url, format: 'raw' });
});
afterAll(async () => {
  await platform.dispose();
  await receiver.close();
  await issuer.stop();
});

const tokenOf = (claims: object = {}): string =>
  issuer.token({ sub: 'alice', aud: 'posthorn', organisation: tenant.slug, roles: ['*'], ...claims });
const as = (token: string): RestClient => createRestClient({ url: platform.url, key: token });

describe('a token of the configured issuer', () => {
  it('publishes like a key, and what it changes is on record under its subject', async () => {
    const alice = as(tokenOf());
    const { id } = await alice.ok<{ id: string }>('POST', '/v1/events', { type: 'order.paid', data: 1 });
    const [request] = await receiver.waitFor(1, patienceMs);
    expect(request?.headers['webhook-id']).toBe(id);
    await alice.ok('PUT', '/v1/event-types/order.paid', {});
    const { data } = await tenant.ok<PageAnswer<{ action: string; actor: object }>>(
      'GET',
      '/v1/audit?actor=alice',
    );
    expect(data).toMatchObject([
      { action: 'event-type.put', actor: { kind: 'token', id: 'alice', operator: false } },
    ]);
  });

  it('does what its scopes cover, in its own organisation', async () => {
    const reader = as(tokenOf({ roles: 'events:read' }));
    expect((await reader.call('POST', '/v1/events', { type: 'order.paid', data: 1 })).status).toBe(403);
    const other = await createTenant(platform);
    expect((await as(tokenOf()).as({ organisation: other.slug }).call('GET', '/v1/endpoints')).status).toBe(
      404,
    );
    expect((await as(tokenOf({ organisation: undefined })).call('GET', '/v1/endpoints')).status).toBe(401);
  });

  it('is refused when it has expired or is for someone else, and is told which', async () => {
    const expired = await as(tokenOf({ exp: 1_000 })).call('GET', '/v1/endpoints');
    expect(expired.status).toBe(401);
    expect(expired.headers.get('www-authenticate')).toContain('error_description="The token has expired."');
    const foreign = await as(tokenOf({ aud: 'else' })).call('GET', '/v1/endpoints');
    expect(foreign.headers.get('www-authenticate')).toContain('another audience');
  });

  it('publishes over gRPC too', async () => {
    const address = /grpc\s+(\S+:\d+)/.exec(platform.output())?.[1] ?? '';
    const principal = servicePrincipal('a-shop');
    const publishWith = async (token: string): Promise<ingestV1.PublishResponse> => {
      const headers = { authorization: `Bearer ${token}` };
      const client = createNetworkClient(ingestV1.IngestServiceService, address, { headers });
      const event = ingestV1.NewEvent.fromPartial({ type: 'order.paid', data: Buffer.from('2') });
      try {
        return await client.publish({ event }, { principal });
      } finally {
        client.close();
      }
    };
    expect((await publishWith(tokenOf())).accepted).toMatchObject({ type: 'order.paid' });
    await expect(publishWith(tokenOf({ roles: [] }))).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(publishWith(tokenOf({ exp: 1_000 }))).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
