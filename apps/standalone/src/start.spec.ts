import './cli.ts';

/** What importing the command line has loaded. */
const loaded = Object.keys(require.cache);

test('a command starts without the services, gRPC and SQLite: who needs them loads them', () => {
  expect(loaded.some((path) => path.endsWith('/apps/standalone/src/cli.ts'))).toBe(true);
  const platform = /\/apps\/(config|dispatcher|event-ingest|gateway)\/|\/libs\/(rpc|sqlite)\//;
  expect(loaded.filter((path) => platform.test(path))).toEqual([]);
});
