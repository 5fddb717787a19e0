import { DomainError } from '@posthorn/models';
import {
  apiKeyFromMessage,
  attemptFromMessage,
  configV1,
  deliveryFromMessage,
  dispatchV1,
  endpointFromMessage,
  eventFromMessage,
  eventFromNewEvent,
  eventTypeFromMessage,
  fieldMaskFromMessage,
  fieldMaskToMessage,
  ingestV1,
  organisationFromMessage,
  refusalFromMessage,
  refusalToMessage,
  scopesFromMessage,
  secretFromMessage,
  secretToMessage,
  signingEndpointFromMessage,
} from './index.ts';

const now = new Date('2026-01-01T00:00:00.000Z');

function violationsOf(convert: () => unknown): readonly unknown[] {
  try {
    convert();
  } catch (error) {
    if (error instanceof DomainError && error.code === 'invalid_argument') return error.violations;
    throw error;
  }
  throw new Error('The message was taken.');
}

describe('a message that leaves something open', () => {
  const endpoint = configV1.Endpoint.fromPartial({
    state: configV1.EndpointState.ENDPOINT_STATE_ENABLED,
    format: configV1.EndpointFormat.ENDPOINT_FORMAT_RAW,
    createdAt: now,
    updatedAt: now,
  });

  it.each<[string, string, () => unknown]>([
    ['an endpoint', '/state', () => endpointFromMessage({ ...endpoint, state: 0 })],
    ['an endpoint', '/format', () => endpointFromMessage({ ...endpoint, format: 0 })],
    ['an endpoint', '/signing/1', () => endpointFromMessage({ ...endpoint, signing: [1, 0] })],
    ['an endpoint', '/createdAt', () => endpointFromMessage({ ...endpoint, createdAt: undefined })],
    ['an endpoint', '/updatedAt', () => endpointFromMessage({ ...endpoint, updatedAt: undefined })],
    ['a secret', '/scheme', () => secretFromMessage(configV1.Secret.create())],
    [
      'an endpoint with secrets',
      '/endpoint',
      () => signingEndpointFromMessage(configV1.SigningEndpoint.create()),
    ],
    ['an event type', '/enforcement', () => eventTypeFromMessage(configV1.EventType.create())],
    ['an organisation', '/createdAt', () => organisationFromMessage(configV1.Organisation.create())],
    ['a key', '/createdAt', () => apiKeyFromMessage(configV1.ApiKey.create())],
    ['an event', '/occurredAt', () => eventFromMessage(dispatchV1.Event.create())],
    ['a delivery', '/state', () => deliveryFromMessage(dispatchV1.Delivery.create())],
    ['an attempt', '/trigger', () => attemptFromMessage(dispatchV1.Attempt.create())],
    [
      'an attempt',
      '/outcome',
      () => attemptFromMessage(dispatchV1.Attempt.create({ trigger: 1, startedAt: now })),
    ],
  ])('of %s is refused with the place: %s', (_what, field, convert) => {
    expect(violationsOf(convert)).toMatchObject([{ field, code: 'required' }]);
  });

  it('is told from one with a value that this version does not know', () => {
    // As it is decoded from the message of a newer version.
    const newer = configV1.Endpoint.decode(
      configV1.Endpoint.encode({ ...endpoint, state: 0 })
        .uint32(8 << 3)
        .int32(99)
        .finish(),
    );

    expect(violationsOf(() => endpointFromMessage(newer))).toEqual([
      { field: '/state', code: 'unknown_value', message: 'This must be one of enabled, paused, disabled.' },
    ]);
  });
});

describe('the retention of an organisation', () => {
  it('is the default where a message has none', () => {
    const message = configV1.Organisation.fromPartial({ createdAt: now, updatedAt: now });

    expect(organisationFromMessage(message).retention).toEqual({ payloadDays: 30, metadataDays: 90 });
  });
});

describe('scopes', () => {
  it('are refused all at once when they are unknown', () => {
    expect(violationsOf(() => scopesFromMessage(['events:read', 'evnts:read', 'all']))).toMatchObject([
      { field: '/scopes/1' },
      { field: '/scopes/2' },
    ]);
  });
});

describe('a secret', () => {
  it('is shown with its public key where there is one', () => {
    const secret = { scheme: 'v1a', secret: 'whsk_x', createdAt: now, expiresAt: null } as const;

    expect(secretToMessage(secret, 'whpk_y').publicKey).toBe('whpk_y');
    expect(secretToMessage(secret).publicKey).toBeUndefined();
  });
});

describe('an accepted event', () => {
  it('happened when it was accepted unless its producer says when', () => {
    const acceptance = { id: 'event-1', organisationId: 'organisation-1', acceptedAt: now };
    const earlier = new Date('2025-12-31T00:00:00.000Z');
    const message = ingestV1.NewEvent.fromPartial({ id: 'ignored', type: 'order.paid' });

    expect(eventFromNewEvent(message, acceptance)).toMatchObject({ id: 'event-1', occurredAt: now });
    expect(eventFromNewEvent({ ...message, occurredAt: earlier }, acceptance).occurredAt).toEqual(earlier);
  });
});

describe('a refusal', () => {
  it('carries the id to publish again with, and whole milliseconds', () => {
    const error = new DomainError('unavailable', 'Try again.', { retryAfterMs: 1.5 });

    expect(refusalToMessage(error, 'event-1')).toMatchObject({ id: 'event-1', retryAfterMs: 2n });
  });

  it('with a code of a newer version is an internal error', () => {
    expect(refusalFromMessage(ingestV1.Refused.fromPartial({ code: 'brand_new' })).code).toBe('internal');
  });
});

describe('a field mask', () => {
  const allowed = ['eventTypes', 'retryDelaysMs', 'name'] as const;

  it('names fields as the contract does', () => {
    expect(fieldMaskToMessage(['eventTypes', 'retryDelaysMs', 'name'])).toEqual([
      'event_types',
      'retry_delays_ms',
      'name',
    ]);
  });

  it('gives the fields back, each once', () => {
    expect(fieldMaskFromMessage(['event_types', 'name', 'event_types'], allowed)).toEqual([
      'eventTypes',
      'name',
    ]);
    expect(fieldMaskFromMessage([], allowed)).toEqual([]);
  });

  it('is refused with every path that is not allowed, and when it is missing', () => {
    expect(violationsOf(() => fieldMaskFromMessage(['name', 'state', 'eventTypes'], allowed))).toMatchObject([
      { field: '/updateMask/1', code: 'unknown_field' },
      { field: '/updateMask/2', code: 'unknown_field' },
    ]);
    expect(violationsOf(() => fieldMaskFromMessage(undefined, allowed))).toMatchObject([
      { field: '/updateMask', code: 'required' },
    ]);
  });
});
