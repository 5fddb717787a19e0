import { endpointStateTable, signatureSchemeTable, type configV1 } from '@posthorn/contracts';
import type { EndpointState } from '@posthorn/models';
import { acme } from '../../testing/fake-services.harness.ts';
import { sampleEndpoint, sampleHealth, sampleTime } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

let running: TestGateway;
let stateAsked: configV1.SetEndpointStateRequest | null = null;
let rotationAsked: configV1.RotateSecretRequest | null = null;
let state: EndpointState = 'enabled';

const v1: configV1.Secret = {
  scheme: signatureSchemeTable.toMessage('v1'),
  secret: 'whsec_new',
  createdAt: sampleTime,
  expiresAt: undefined,
};
const v1a: configV1.Secret = {
  scheme: signatureSchemeTable.toMessage('v1a'),
  secret: 'whsk_old',
  publicKey: 'whpk_old',
  createdAt: sampleTime,
  expiresAt: sampleTime,
};

const { id } = sampleEndpoint();
const path = `/v1/endpoints/${id}`;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: {
        getEndpoint: () => Promise.resolve({ endpoint: sampleEndpoint({ state }), secrets: [] }),
        setEndpointState: (request) => {
          stateAsked = request;
          const endpoint = sampleEndpoint({
            state: endpointStateTable.fromMessage(request.state, ''),
            stateReason: request.reason || null,
          });
          return Promise.resolve({ endpoint });
        },
        listSecrets: () => Promise.resolve({ secrets: [v1, v1a] }),
        rotateSecret: (request) => {
          rotationAsked = request;
          return Promise.resolve({ secrets: [v1, v1a] });
        },
      },
      activity: { getHealth: () => Promise.resolve({ endpoints: [sampleHealth()] }) },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  stateAsked = null;
  rotationAsked = null;
  state = 'enabled';
});

describe('switching on and off', () => {
  test.each([
    ['enable', 'enabled', ''],
    ['disable', 'disabled', 'manual'],
    ['pause', 'paused', 'manual'],
    ['resume', 'enabled', ''],
  ] as const)('%s makes it %s', async (verb, wanted, reason) => {
    const done = await running.call('POST', `${path}/${verb}`, { headers: { 'If-Match': '"3"' } });
    expect([done.status, done.body]).toEqual([200, expect.objectContaining({ state: wanted })]);
    expect(stateAsked).toEqual({
      organisationId: acme.id,
      idOrUid: id,
      state: endpointStateTable.toMessage(wanted),
      reason,
      expectedVersion: 3n,
    });
  });

  test('a reason of one’s own is shown', async () => {
    const paused = await running.call('POST', `${path}/pause`, { body: { reason: 'maintenance until ten' } });
    expect(paused.body).toMatchObject({ state: 'paused', stateReason: 'maintenance until ten' });
  });

  test.each(['pause', 'resume'])('%s doesn’t undo a disable', async (verb) => {
    state = 'disabled';
    const refused = await running.call('POST', `${path}/${verb}`);
    expect([refused.status, refused.body]).toEqual([
      409,
      expect.objectContaining({ code: 'failed_precondition' }),
    ]);
    expect(stateAsked).toBeNull();
  });
});

describe('secrets', () => {
  test('are all that sign now', async () => {
    const shown = await running.call('GET', `${path}/secrets`);
    expect(shown.headers.get('cache-control')).toBe('no-store');
    expect(shown.body).toEqual({
      data: [
        {
          scheme: 'v1',
          secret: 'whsec_new',
          publicKey: null,
          createdAt: '2026-01-31T12:00:00.000Z',
          expiresAt: null,
        },
        {
          scheme: 'v1a',
          secret: 'whsk_old',
          publicKey: 'whpk_old',
          createdAt: '2026-01-31T12:00:00.000Z',
          expiresAt: '2026-01-31T12:00:00.000Z',
        },
      ],
    });
  });

  test('rotate with an overlap, a day when nothing is said', async () => {
    await running.call('POST', `${path}/secrets/rotate`);
    expect(rotationAsked).toMatchObject({ overlapMs: undefined, secret: undefined });
    await running.call('POST', `${path}/secrets/rotate`, { body: { overlapMs: 0, secret: 'whsec_x' } });
    expect(rotationAsked).toMatchObject({ overlapMs: 0n, secret: 'whsec_x' });
  });

  test.each([{ overlapMs: -1 }, { overlapMs: 1e12 }, { overlapMs: '1d' }, { overlap: 1 }])(
    '%j is refused',
    async (body) => {
      expect((await running.call('POST', `${path}/secrets/rotate`, { body })).status).toBe(400);
    },
  );
});
