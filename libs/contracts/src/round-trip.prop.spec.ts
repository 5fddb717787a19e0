import {
  auditActorKinds,
  auditResults,
  attemptOutcomes,
  attemptTriggers,
  dialects,
  deliveryStates,
  endpointFormats,
  endpointOrderings,
  endpointStates,
  enforcements,
  errorCodes,
  onExhaustedKinds,
  policyAlgorithms,
  scopes,
  secretSchemes,
  signatureSchemes,
  verifications,
  taskKinds,
  taskStates,
  DomainError,
  type ApiKey,
  type Attempt,
  type AuditRecord,
  type Endpoint,
  type Event,
  type EventType,
  type Organisation,
  type Policy,
  type Secret,
  type SigningEndpoint,
  type SigningPolicy,
  type Task,
} from '@posthorn/models';
import fc from 'fast-check';
import {
  apiKeyFromMessage,
  apiKeyToMessage,
  attemptFromMessage,
  attemptToMessage,
  auditRecordFromMessage,
  auditRecordToMessage,
  configV1,
  deliveryFromMessage,
  deliveryToMessage,
  dispatchV1,
  endpointFromMessage,
  endpointToMessage,
  eventFromMessage,
  eventFromNewEvent,
  eventToMessage,
  eventToNewEvent,
  eventTypeFromMessage,
  eventTypeToMessage,
  ingestV1,
  organisationFromMessage,
  organisationToMessage,
  policyFromMessage,
  policyToMessage,
  refusalFromMessage,
  refusalToMessage,
  secretFromMessage,
  secretToMessage,
  signingEndpointFromMessage,
  signingEndpointToMessage,
  signingPolicyFromMessage,
  signingPolicyToMessage,
  taskFromMessage,
  taskToMessage,
  type DeliveryView,
} from './index.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const time = fc
  .integer({ min: 0, max: Date.UTC(9999, 11, 31) })
  .map((milliseconds) => new Date(milliseconds));
const int32 = fc.nat(2 ** 31 - 1);
const safeInteger = fc.nat(Number.MAX_SAFE_INTEGER);
// `__proto__` is no key of a plain object; the checks at the edges refuse it.
const key = text.filter((name) => name !== '__proto__');
const texts = fc.dictionary(key, text, { maxKeys: 4, noNullPrototype: true });

const limit = maybe(safeInteger);
const publishLimits = { publishesPerSecond: limit, publishesPerDay: limit, bytesPerDay: limit };

const organisation: fc.Arbitrary<Organisation> = fc.record({
  id: text,
  slug: text,
  name: text,
  accountUrl: maybe(text),
  timeZone: text,
  branding: fc.record({ name: maybe(text), iconUrl: maybe(text), thumbnailUrl: maybe(text) }),
  requireKnownTypes: fc.boolean(),
  defaultRicloudEndpoint: maybe(text),
  retention: fc.record({ payloadDays: int32, metadataDays: int32 }),
  limits: fc.record({ ...publishLimits, endpoints: limit }),
  createdAt: time,
  updatedAt: time,
});

const apiKey: fc.Arbitrary<ApiKey> = fc.record({
  id: text,
  name: text,
  prefix: text,
  scopes: fc.array(fc.constantFrom(...scopes), { maxLength: 5 }),
  organisationId: maybe(text),
  routesTo: maybe(text),
  endpointId: maybe(text),
  limits: fc.record(publishLimits),
  expiresAt: maybe(time),
  lastUsedAt: maybe(time),
  createdAt: time,
});

const auditRecord: fc.Arbitrary<AuditRecord> = fc.record({
  id: text,
  occurredAt: time,
  organisationId: maybe(text),
  actor: fc.record({
    kind: fc.constantFrom(...auditActorKinds),
    id: text,
    name: maybe(text),
    isOperator: fc.boolean(),
  }),
  action: text,
  resourceId: maybe(text),
  changedFields: fc.array(text, { maxLength: 4 }),
  result: fc.constantFrom(...auditResults),
  errorCode: maybe(fc.constantFrom(...errorCodes)),
  address: maybe(text),
  userAgent: maybe(text),
  requestId: text,
});

const eventType: fc.Arbitrary<EventType> = fc.record({
  organisationId: text,
  name: text,
  description: text,
  schemaJson: maybe(text),
  enforcement: fc.constantFrom(...enforcements),
  retired: fc.boolean(),
  createdAt: time,
  updatedAt: time,
});

const endpoint: fc.Arbitrary<Endpoint> = fc.record({
  id: text,
  number: safeInteger,
  organisationId: text,
  dialect: fc.constantFrom(...dialects),
  uid: maybe(text),
  url: text,
  name: text,
  description: text,
  state: fc.constantFrom(...endpointStates),
  stateReason: maybe(text),
  verification: fc.constantFrom(...verifications),
  verificationId: maybe(text),
  verificationExpiresAt: maybe(time),
  eventTypes: maybe(fc.array(text, { maxLength: 3 })),
  labels: maybe(fc.dictionary(key, fc.array(text, { maxLength: 3 }), { maxKeys: 3, noNullPrototype: true })),
  filterJson: maybe(text),
  editionId: maybe(text),
  format: fc.constantFrom(...endpointFormats),
  signing: fc.array(fc.constantFrom(...signatureSchemes), { maxLength: 2 }),
  policyId: maybe(text),
  headers: texts,
  timeoutMs: int32,
  retryDelaysMs: fc.array(safeInteger, { maxLength: 5 }),
  maxInFlight: int32,
  rateLimit: maybe(
    fc.record({
      perSecond: fc.double({ min: 0.01, max: 10_000, noNaN: true }),
      burst: fc.integer({ min: 1, max: 10_000 }),
    }),
  ),
  ordering: fc.constantFrom(...endpointOrderings),
  onExhausted: fc.constantFrom(...onExhaustedKinds),
  metadata: texts,
  version: safeInteger,
  createdAt: time,
  updatedAt: time,
});

const secret: fc.Arbitrary<Secret> = fc.record({
  scheme: fc.constantFrom(...secretSchemes),
  secret: text,
  createdAt: time,
  expiresAt: maybe(time),
});

const policy: fc.Arbitrary<Policy> = fc.record({
  id: text,
  number: safeInteger,
  organisationId: text,
  name: text,
  algorithm: fc.constantFrom(...policyAlgorithms),
  audience: maybe(text),
  expiresInMinutes: maybe(int32),
  publicKeyPem: maybe(text),
  disabled: fc.boolean(),
  createdAt: time,
  updatedAt: time,
});

const event: fc.Arbitrary<Event> = fc.record({
  id: text,
  organisationId: text,
  type: text,
  payload: fc.uint8Array({ maxLength: 50 }),
  labels: texts,
  subject: maybe(text),
  idempotencyKey: maybe(text),
  orderingKey: maybe(text),
  routesTo: maybe(text),
  traceparent: maybe(text),
  deliverAt: maybe(time),
  occurredAt: time,
  acceptedAt: time,
});

const attempt: fc.Arbitrary<Attempt> = fc.record({
  id: text,
  organisationId: text,
  deliveryId: text,
  eventId: text,
  eventType: text,
  endpointId: text,
  number: int32,
  trigger: fc.constantFrom(...attemptTriggers),
  startedAt: time,
  durationMs: int32,
  outcome: fc.constantFrom(...attemptOutcomes),
  status: maybe(fc.integer({ min: 100, max: 599 })),
  error: maybe(text),
  response: maybe(fc.record({ headers: texts, body: text, truncated: fc.boolean() })),
  address: maybe(text),
  signature: maybe(text),
});

const delivery: fc.Arbitrary<DeliveryView> = fc.record({
  id: text,
  organisationId: text,
  eventId: text,
  eventType: text,
  endpointId: text,
  state: fc.constantFrom(...deliveryStates),
  reason: maybe(text),
  attempts: int32,
  nextAttemptAt: maybe(time),
  createdAt: time,
  finishedAt: maybe(time),
  lastAttempt: maybe(attempt),
  modifiedAt: maybe(time),
});

const task: fc.Arbitrary<Task> = fc.record({
  id: text,
  organisationId: text,
  endpointId: text,
  kind: fc.constantFrom(...taskKinds),
  keyId: maybe(text),
  eventId: maybe(text),
  state: fc.constantFrom(...taskStates),
  error: maybe(text),
  createdAt: time,
  startedAt: maybe(time),
  completedAt: maybe(time),
});

const error = fc
  .record({
    code: fc.constantFrom(...errorCodes),
    message: text,
    violations: fc.array(fc.record({ field: text, code: text, message: text }), { maxLength: 3 }),
    retryAfterMs: fc.option(safeInteger, { nil: undefined }),
  })
  .map(
    ({ code, message, violations, retryAfterMs }) =>
      new DomainError(code, message, { violations, ...(retryAfterMs !== undefined && { retryAfterMs }) }),
  );

/** What a message becomes on its way through the network. */
function sendThrough<T>(codec: {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}) {
  return (message: T): T => codec.decode(codec.encode(message).finish());
}

function expectIdentity<M>(models: fc.Arbitrary<M>, thereAndBack: (model: M) => M): void {
  fc.assert(fc.property(models, (model) => expect(thereAndBack(model)).toEqual(model)));
}

describe('a model comes back from its message as it was:', () => {
  it('organisation', () => {
    const send = sendThrough(configV1.Organisation);
    expectIdentity(organisation, (model) => organisationFromMessage(send(organisationToMessage(model))));
  });

  it('API key', () => {
    const send = sendThrough(configV1.ApiKey);
    expectIdentity(apiKey, (model) => apiKeyFromMessage(send(apiKeyToMessage(model))));
  });

  it('event type', () => {
    const send = sendThrough(configV1.EventType);
    expectIdentity(eventType, (model) => eventTypeFromMessage(send(eventTypeToMessage(model))));
  });

  it('endpoint', () => {
    const send = sendThrough(configV1.Endpoint);
    expectIdentity(endpoint, (model) => endpointFromMessage(send(endpointToMessage(model))));
  });

  it('secret', () => {
    const send = sendThrough(configV1.Secret);
    expectIdentity(secret, (model) => secretFromMessage(send(secretToMessage(model))));
  });

  it('endpoint with its secrets', () => {
    const send = sendThrough(configV1.SigningEndpoint);
    const models: fc.Arbitrary<SigningEndpoint> = fc.record({
      endpoint,
      secrets: fc.array(secret, { maxLength: 3 }),
      verificationCallbackPath: maybe(text),
    });
    expectIdentity(models, (model) => signingEndpointFromMessage(send(signingEndpointToMessage(model))));
  });

  it('audit record', () => {
    const send = sendThrough(configV1.AuditRecord);
    expectIdentity(auditRecord, (model) => auditRecordFromMessage(send(auditRecordToMessage(model))));
  });

  it('policy', () => {
    const send = sendThrough(configV1.Policy);
    expectIdentity(policy, (model) => policyFromMessage(send(policyToMessage(model))));
  });

  it('policy with its key', () => {
    const send = sendThrough(configV1.SigningPolicy);
    const models: fc.Arbitrary<SigningPolicy> = fc.record({ policy, key: maybe(text) });
    expectIdentity(models, (model) => signingPolicyFromMessage(send(signingPolicyToMessage(model))));
  });

  it('event', () => {
    const send = sendThrough(dispatchV1.Event);
    expectIdentity(event, (model) => eventFromMessage(send(eventToMessage(model))));
  });

  it('event that is published', () => {
    const send = sendThrough(ingestV1.NewEvent);
    expectIdentity(event, (model) => eventFromNewEvent(send(eventToNewEvent(model)), model));
  });

  it('attempt', () => {
    const send = sendThrough(dispatchV1.Attempt);
    expectIdentity(attempt, (model) => attemptFromMessage(send(attemptToMessage(model))));
  });

  it('delivery with its last attempt', () => {
    const send = sendThrough(dispatchV1.Delivery);
    expectIdentity(delivery, (model) => deliveryFromMessage(send(deliveryToMessage(model))));
  });

  it('task', () => {
    const send = sendThrough(dispatchV1.Task);
    expectIdentity(task, (model) => taskFromMessage(send(taskToMessage(model))));
  });

  it('refusal of an event', () => {
    const send = sendThrough(ingestV1.Refused);
    expectIdentity(error, (model) => refusalFromMessage(send(refusalToMessage(model))));
  });
});
