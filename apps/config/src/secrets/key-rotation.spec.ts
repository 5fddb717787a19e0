import { configV1 } from '@posthorn/contracts';
import { silentLogger } from '@posthorn/runtime';
import { createSeededRandom } from '@posthorn/testing';
import {
  createHarness,
  operator,
  service,
  tenant,
  testEncryptionKey,
  type Harness,
} from '../config.harness.ts';
import { createKeyring } from './keyring.ts';
import { createKeyRotation } from './key-rotation.ts';
import { createSecretBox } from './secret-box.ts';
import { openTemporaryStores } from '../stores/temporary-stores.harness.ts';
import type { ConfigStores } from '../stores/stores.ts';

const as = { principal: operator };
const newKey = new Uint8Array(32).fill(8);
let stores: ConfigStores;
let close: () => Promise<void>;

beforeEach(async () => {
  ({ stores, close } = await openTemporaryStores());
});
afterEach(() => close());

/** A service whose keys are in a file of ours; `written` is what the file has held, the last first. */
function startKept(keys: readonly Uint8Array[] = [testEncryptionKey]) {
  const written: (readonly Uint8Array[])[] = [];
  const harness = createHarness(stores, {
    encryptionKeys: keys,
    encryptionKeyFile: { write: (next) => void written.unshift(next) },
  });
  return { harness, written };
}

/** Two tenants with endpoints and a policy each. */
async function fill(harness: Harness): Promise<readonly string[]> {
  const organisations: string[] = [];
  for (const slug of ['acme', 'globex']) {
    const organisationId = await harness.organisation(slug);
    organisations.push(organisationId);
    for (const uid of ['a', 'b', 'c'])
      await harness.endpoint(organisationId, { uid, headers: { 'x-token': uid } });
    const policy = configV1.Policy.fromPartial({
      organisationId,
      algorithm: configV1.PolicyAlgorithm.POLICY_ALGORITHM_HS256,
    });
    await harness.policies.createPolicy({ policy, key: undefined }, { principal: tenant(organisationId) });
  }
  return organisations;
}

/** What the dispatcher signs with. */
async function secretsOf(harness: Harness, organisations: readonly string[]) {
  const views = await Promise.all(
    organisations.map((organisationId) =>
      harness.directory.getOrganisationView(
        { organisationId, cursor: '', omitEndpoints: false },
        { principal: service },
      ),
    ),
  );
  return views.map(({ endpoints, policies }) => ({ endpoints, policies }));
}

async function resealAll({ encryption }: Harness) {
  let cursor = '';
  let resealed = 0;
  for (;;) {
    const step = await encryption.resealSecrets({ cursor }, as);
    resealed += step.resealed;
    cursor = step.nextCursor;
    if (cursor === '') return { resealed, encryption: step.encryption };
  }
}

describe('a rotation of the encryption key', () => {
  it('seals everything anew under a key that is in the file first, and then drops the old one', async () => {
    const { harness, written } = startKept();
    const organisations = await fill(harness);
    const before = await secretsOf(harness, organisations);
    const { encryption: begun } = await harness.encryption.beginKeyRotation({}, as);
    const [made, old] = begun?.keys ?? [];
    expect(begun).toMatchObject({ isKept: true, keys: [{ secrets: 0n }, { secrets: 8n }] });
    expect(written).toHaveLength(1);
    expect(written[0]?.[1]).toEqual(testEncryptionKey);

    expect(await resealAll(harness)).toEqual({
      resealed: 8,
      encryption: { isKept: true, keys: [{ id: made?.id, secrets: 8n }] },
    });
    expect(old?.id).not.toBe(made?.id);
    expect(written[0]).toEqual([written[1]?.[0]]);
    expect(await secretsOf(harness, organisations)).toEqual(before);

    // The new key alone is enough from now on, and the old one is not.
    const restarted = createHarness(stores, { encryptionKeys: written[0] ?? [] });
    await restarted.config.start();
    expect(await secretsOf(restarted, organisations)).toEqual(before);
    await restarted.config.stop();
    await expect(createHarness(stores).config.start()).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  it('goes on after a crash, and makes no third key', async () => {
    const first = startKept();
    const organisations = await fill(first.harness);
    const before = await secretsOf(first.harness, organisations);
    await first.harness.encryption.beginKeyRotation({}, as);
    await first.harness.encryption.resealSecrets({ cursor: 'policy' }, as);
    const keys = first.written[0] ?? [];

    const second = startKept(keys);
    await second.harness.config.start();
    await second.harness.config.stop();
    const { encryption: continued } = await second.harness.encryption.beginKeyRotation({}, as);
    expect(continued?.keys.map(({ secrets }) => secrets)).toEqual([2n, 6n]);
    expect(second.written).toEqual([]);
    expect((await resealAll(second.harness)).resealed).toBe(6);
    expect(second.written).toEqual([keys.slice(0, 1)]);
    expect(await secretsOf(second.harness, organisations)).toEqual(before);
  });

  it('loses no rotation of a secret that owners ask for meanwhile', async () => {
    const { harness } = startKept();
    const organisations = await fill(harness);
    await harness.encryption.beginKeyRotation({}, as);
    const rotations = organisations.flatMap((organisationId) =>
      ['a', 'b', 'c'].map(async (idOrUid) => {
        let current = '';
        for (let count = 0; count < 5; count++) {
          const { secrets } = await harness.endpoints.rotateSecret(
            { organisationId, idOrUid, secret: undefined, overlapMs: 0n },
            { principal: tenant(organisationId) },
          );
          current = secrets[0]?.secret ?? '';
        }
        return { organisationId, idOrUid, current };
      }),
    );
    const [rotated] = await Promise.all([Promise.all(rotations), resealAll(harness)]);
    for (const { organisationId, idOrUid, current } of rotated) {
      const shown = await harness.endpoints.listSecrets(
        { organisationId, idOrUid },
        { principal: tenant(organisationId) },
      );
      expect(shown.secrets.map(({ secret }) => secret)).toEqual([current]);
    }
    expect((await resealAll(harness)).encryption?.keys).toHaveLength(1);
  });

  it('drops no key before the calls have ended that may have sealed with it', async () => {
    const keyring = createKeyring([newKey, testEncryptionKey], { write: () => undefined });
    const random = createSeededRandom(3);
    let settle = (): void => undefined;
    const rotation = createKeyRotation({
      keyring,
      box: createSecretBox(keyring, random.bytes),
      store: stores.sealed,
      randomBytes: random.bytes,
      logger: silentLogger,
      callsSettled: () => new Promise((resolve) => (settle = resolve)),
    });
    const harness = createHarness(stores, { encryptionKeys: [testEncryptionKey] });
    const organisationId = await harness.organisation('acme');
    const last = rotation.step('policy');
    // A call of before puts its box down when everything has been looked at.
    await harness.endpoint(organisationId);
    settle();
    const { status } = await last;
    expect(status?.keys.map(({ secrets }) => secrets)).toEqual([0, 1]);
    expect(keyring.keys).toHaveLength(2);
  });

  it('holds nothing up for a box that is broken, and keeps its key', async () => {
    const { harness, written } = startKept();
    const [organisationId = ''] = await fill(harness);
    const broken = await stores.endpoints.find(organisationId, 'b');
    if (broken === null) throw new Error('the endpoint is missing');
    await stores.endpoints.replace({ ...broken, sealed: `${broken.sealed.slice(0, -4)}AAAA` });
    await harness.encryption.beginKeyRotation({}, as);
    const { resealed, encryption } = await resealAll(harness);
    expect(resealed).toBe(7);
    expect(encryption?.keys.map(({ secrets }) => secrets)).toEqual([7n, 1n]);
    expect(written[0]).toHaveLength(2);
  });

  it('reseals where the keys are given from outside, and leaves making and dropping them to whoever gives them', async () => {
    await fill(createHarness(stores));
    const harness = createHarness(stores, { encryptionKeys: [newKey, testEncryptionKey] });
    await expect(harness.encryption.beginKeyRotation({}, as)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('POSTHORN_ENCRYPTION_KEY'),
    });
    const { resealed, encryption } = await resealAll(harness);
    expect(resealed).toBe(8);
    expect(encryption).toMatchObject({ isKept: false, keys: [{ secrets: 8n }, { secrets: 0n }] });
    const after = createHarness(stores, { encryptionKeys: [newKey] });
    await after.config.start();
    await after.config.stop();
  });

  it('is for operators only, and refuses a cursor that is none', async () => {
    const { harness } = startKept();
    const organisationId = await harness.organisation('acme');
    const calls = [
      (principal = tenant(organisationId)) => harness.encryption.getEncryption({}, { principal }),
      (principal = tenant(organisationId)) => harness.encryption.beginKeyRotation({}, { principal }),
      (principal = tenant(organisationId)) => harness.encryption.resealSecrets({ cursor: '' }, { principal }),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'permission_denied' });
    for (const cursor of ['endpoint:', 'endpoint:x', 'organisation:1', 'endpoint:1;']) {
      await expect(harness.encryption.resealSecrets({ cursor }, as)).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/cursor' }],
      });
    }
  });
});

describe('a start without a key that something was sealed with', () => {
  it('is refused, naming the key, also when the newest endpoint has another one', async () => {
    const first = createHarness(stores);
    const organisationId = await first.organisation('acme');
    await first.endpoint(organisationId);
    const both = createHarness(stores, { encryptionKeys: [newKey, testEncryptionKey] });
    await both.endpoint(organisationId);
    const [oldId, newId] = [testEncryptionKey, newKey].map((key) => createKeyring([key]).sealing.id);
    const { config } = createHarness(stores, { encryptionKeys: [newKey] });
    await expect(config.start()).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringMatching(new RegExp(`Missing: ${oldId} \\(of 1\\); there: ${newId}\\.$`)),
    });
  });
});
