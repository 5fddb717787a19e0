import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { expectProblem } from './expect-problem.harness.ts';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { limitFileSize, mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

interface Fault {
  readonly name: string;
  readonly createDisk: () => SmallDisk;
}

const mounted = mountSmallDisk();
const faults: readonly Fault[] = [
  { name: 'files may not grow', createDisk: limitFileSize },
  ...(mounted === null ? [] : [{ name: 'the disk is full', createDisk: () => mounted }]),
];
const unavailable = [503, 'unavailable'] as const;

describe.each(faults)('when $name', ({ createDisk }) => {
  let disk: SmallDisk;
  let platform: PlatformProcess;
  let receiver: Receiver;
  let tenant: Tenant;
  /** The ids that a publish was answered with. */
  let accepted: string[];

  beforeAll(() => {
    disk = createDisk();
  });
  beforeEach(async () => {
    platform = await preparePlatform({ dataDir: disk.dataDir });
    await platform.start();
    receiver = await startReceiver();
    tenant = await createTenant(platform);
    await tenant.endpoint({ url: receiver.url });
    accepted = [];
  });
  afterEach(async () => {
    await platform.dispose();
    await receiver.close();
  });
  afterAll(() => disk.dispose());

  async function publish() {
    const data = 'x'.repeat(20_000);
    const answer = await tenant.call<{ id: string }>('POST', '/v1/events', { type: 'order.paid', data });
    if (answer.status === 202) accepted.push(answer.body.id);
    return answer;
  }

  /** Publishes until there is no space any more; answers the first refusal. */
  async function publishUntilFull() {
    disk.fill(platform.pid ?? 0);
    return eventually(
      async () => {
        const answer = await publish();
        if (answer.status === 202) throw new Error('there is space still');
        return answer;
      },
      { timeoutMs: patienceMs, everyMs: 0 },
    );
  }

  async function publishAgain(): Promise<void> {
    disk.empty(platform.pid ?? 0);
    await eventually(async () => expect((await publish()).status).toBe(202), { timeoutMs: patienceMs });
  }

  /** Everything that was accepted has arrived. */
  async function expectAll(): Promise<readonly string[]> {
    const ids = () => receiver.requests.map(({ headers }) => String(headers['webhook-id']));
    await eventually(() => expect(accepted.filter((id) => !ids().includes(id))).toEqual([]), {
      timeoutMs: patienceMs,
      everyMs: 100,
    });
    return ids();
  }

  it('publishes are refused with a clear answer, nothing accepted is lost or repeated, and it recovers by itself', async () => {
    for (let n = 0; n < 50; n += 1) expect((await publish()).status).toBe(202);
    const refused = await publishUntilFull();
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expectProblem(refused, unavailable);

    // Others are refused alike, whoever only reads is answered, and the process stays up.
    const answers = await Promise.all(Array.from({ length: 50 }, publish));
    for (const answer of answers) if (answer.status !== 202) expectProblem(answer, unavailable);
    expect(answers.some(({ status }) => status === 503)).toBe(true);
    expect(await tenant.call('GET', '/v1/endpoints')).toMatchObject({ status: 200 });
    expect(await tenant.call('GET', `/v1/events/${accepted[0] ?? ''}`)).toMatchObject({ status: 200 });
    const created = await tenant.call('POST', '/v1/endpoints', { url: `${receiver.url}/another` });
    expectProblem(created, unavailable);
    expect((await fetch(`${platform.url}/livez`)).status).toBe(200);

    await publishAgain();
    const { id = '' } = refused.body as { readonly id?: string };
    if (id !== '') {
      // It wasn't known: publishing it again under the id that was told settles it.
      const again = await tenant.publish({ type: 'order.paid', data: 1, id });
      expect(again).toMatchObject({ id, duplicate: false });
      accepted.push(id);
    }
    const ids = await expectAll();
    expect(ids.toSorted()).toEqual(accepted.toSorted());
  });

  it('a kill loses nothing that was accepted', async () => {
    for (let n = 0; n < 50; n += 1) await publish();
    await publishUntilFull();
    const { pid = 0 } = platform;
    await Promise.all(Array.from({ length: 20 }, publish));
    await platform.kill();
    disk.empty(pid);
    await platform.start();
    await expectAll();
  });
});
