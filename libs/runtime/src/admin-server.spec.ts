import { startAdminServer, type AdminServer } from './admin-server.ts';
import { createMetrics } from './metrics.ts';

describe('the admin port', () => {
  const metrics = createMetrics();
  metrics.counter({ name: 'tests_total', help: 'x' }).inc();
  let reasons: string[];
  let admin: AdminServer;
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${admin.port}${path}`, init);

  beforeEach(async () => {
    reasons = [];
    admin = await startAdminServer({ host: '127.0.0.1', port: 0, metrics, reasons: () => reasons });
  });
  afterEach(() => admin.close());

  it('says that the process lives, ready or not', async () => {
    reasons = ['waiting for MongoDB'];
    const answer = await get('/livez');
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'live' }]);
  });

  it('says whether work should come here, with the reasons', async () => {
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', reasons: [] }]);
    reasons = ['stopping'];
    const notReady = await get('/readyz?verbose');
    expect([notReady.status, await notReady.json()]).toEqual([
      503,
      { status: 'not ready', reasons: ['stopping'] },
    ]);
  });

  it('shows the metrics in the format of Prometheus', async () => {
    const answer = await get('/metrics');
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(await answer.text()).toContain('tests_total 1');
  });

  it('outlives metrics that cannot be read', async () => {
    const broken = createMetrics();
    broken.gauge({
      name: 'broken',
      help: 'x',
      collect: () => {
        throw new Error('no');
      },
    });
    const other = await startAdminServer({ host: '127.0.0.1', port: 0, metrics: broken, reasons: () => [] });
    expect((await fetch(`http://127.0.0.1:${other.port}/metrics`)).status).toBe(500);
    expect((await fetch(`http://127.0.0.1:${other.port}/livez`)).status).toBe(200);
    await other.close();
  });

  it('has nothing else, and takes nothing', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await get('/livez', { method: 'POST' })).status).toBe(405);
    expect(await (await get('/livez', { method: 'HEAD' })).text()).toBe('');
  });

  it('says what to do about a port that is taken', async () => {
    const again = { host: '127.0.0.1', port: admin.port, metrics, reasons: () => [] };
    await expect(startAdminServer(again)).rejects.toThrow(/the port is taken; set POSTHORN_ADMIN_PORT/);
  });
});
