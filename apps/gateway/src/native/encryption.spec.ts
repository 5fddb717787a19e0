import { DomainError } from '@posthorn/models';
import { tokens } from '../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

const encryption = {
  isKept: true,
  keys: [
    { id: 'newer-id', secrets: 3n },
    { id: 'older-id', secrets: 4n },
  ],
};
const shown = {
  sealingKey: 'newer-id',
  isKept: true,
  keys: [
    { id: 'newer-id', secrets: 3 },
    { id: 'older-id', secrets: 4 },
  ],
};

let running: TestGateway;
let isKept = true;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      encryption: {
        getEncryption: () => Promise.resolve({ encryption }),
        beginKeyRotation: () =>
          isKept
            ? Promise.resolve({ encryption })
            : Promise.reject(new DomainError('failed_precondition', 'The keys are given.')),
        resealSecrets: ({ cursor }) =>
          Promise.resolve(
            cursor === ''
              ? { resealed: 200, nextCursor: 'endpoint:7', encryption: undefined }
              : { resealed: 4, nextCursor: '', encryption },
          ),
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));

it('shows an operator the keys by their ids, and begins a rotation', async () => {
  const read = await running.call('GET', '/v1/encryption', { token: tokens.operator });
  expect([read.status, read.body]).toEqual([200, shown]);
  const begun = await running.call('POST', '/v1/encryption/rotate', { token: tokens.operator });
  expect([begun.status, begun.body]).toEqual([200, shown]);
});

it('says why keys that were given are not rotated here', async () => {
  isKept = false;
  const answer = await running.call('POST', '/v1/encryption/rotate', { token: tokens.operator });
  expect(answer).toMatchObject({ status: 409, body: { code: 'failed_precondition' } });
});

it('reseals step by step', async () => {
  const step = (body?: object) =>
    running.call('POST', '/v1/encryption/reseal', { token: tokens.operator, ...(body && { body }) });
  expect((await step()).body).toEqual({ resealed: 200, nextCursor: 'endpoint:7', encryption: null });
  const last = await step({ cursor: 'endpoint:7' });
  expect(last.body).toEqual({ resealed: 4, nextCursor: null, encryption: shown });
});
