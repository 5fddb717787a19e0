import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

let running: TestGateway;
beforeAll(async () => {
  running = await startTestGateway();
});
afterAll(() => running.gateway.stop(1_000));

/** Reads the answer whole, so that no connection is left half read. */
const get = async (path: string, headers: Record<string, string> = {}): Promise<Page> => {
  const response = await fetch(running.address + path, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

test('the page loads nothing but what this server has', async () => {
  const page = await get('/docs');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const html = page.text;
  const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url ?? '');
  expect(loaded.length).toBeGreaterThan(3);
  for (const url of loaded.filter((each) => !each.startsWith('data:'))) {
    expect(url).toMatch(/^\/[^/]/);
    expect((await get(url)).status).toBe(200);
  }
});

test('neither the page nor its start script has a script or a host of others in it', async () => {
  const html = (await get('/docs')).text;
  const script = (await get('/docs/start.js')).text;
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
  expect(html).not.toMatch(/\son\w+=/);
  expect(html + script).not.toMatch(/https?:/);
  expect(script).toContain('validatorUrl: null');
});

test('the browser is told to load from nowhere else, and to run nothing inline', async () => {
  const policy = (await get('/docs')).headers.get('content-security-policy') ?? '';
  const sources = new Map(
    policy.split('; ').map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1)]),
  );
  expect(sources.get('default-src')).toEqual(["'none'"]);
  expect(sources.get('script-src')).toEqual(["'self'"]);
  expect(sources.get('connect-src')).toEqual(["'self'"]);
  expect(sources.get('frame-ancestors')).toEqual(["'none'"]);
  expect([...sources.values()].flat()).not.toEqual(expect.arrayContaining([expect.stringContaining('http')]));
});

test('a style sheet of the page refers to nothing outside', async () => {
  const css = (await get('/docs/swagger-ui.css')).text;
  const urls = [...css.matchAll(/url\(["']?([^)"']+)/g)].map(([, url]) => url ?? '');
  expect(urls.filter((url) => !url.startsWith('data:'))).toEqual([]);
});

test('what the browser has already is not sent again', async () => {
  const first = await get('/docs/swagger-ui-bundle.js');
  const again = await get('/docs/swagger-ui-bundle.js', { 'If-None-Match': first.headers.get('etag') ?? '' });
  expect([again.status, again.text]).toEqual([304, '']);
});
