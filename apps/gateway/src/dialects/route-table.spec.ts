import { defineDialectRoute, type DialectRoute } from './dialect.ts';
import { createRouteTable, type FoundRoute } from './route-table.ts';

const route = (method: 'get' | 'post' | 'delete', path: string): DialectRoute =>
  defineDialectRoute({
    method,
    path,
    operationId: `${method} ${path}`,
    summary: '',
    scopes: [],
    answers: {},
    handle: () => ({ status: 200 }),
  });
const routes = [
  route('get', '/things/{id}'),
  route('get', '/things/new'),
  route('get', '/things'),
  route('post', '/things'),
  route('delete', '/things/{id}/parts/{part}'),
];
const strict = createRouteTable({ routes, basePaths: ['', '/api/v2'] });
const lenient = createRouteTable({
  routes,
  basePaths: [''],
  accepts: { trailingSlash: true, jsonSuffix: true },
});
const named = (found: FoundRoute): unknown =>
  found.route === null ? found.allow : [found.route.operationId, found.params];

test.each([
  ['GET', '/things', ['get /things', {}]],
  ['HEAD', '/things', ['get /things', {}]],
  ['POST', '/api/v2/things', ['post /things', {}]],
  ['GET', '/things/new', ['get /things/new', {}]],
  ['GET', '/things/7', ['get /things/{id}', { id: '7' }]],
  ['GET', '/%74hings/a%2Fb%20c', ['get /things/{id}', { id: 'a/b c' }]],
  ['DELETE', '/things/1/parts/2', ['delete /things/{id}/parts/{part}', { id: '1', part: '2' }]],
  ['DELETE', '/things', ['GET', 'POST']],
  ['POST', '/things/new', ['GET']],
  ['GET', '/things/', []],
  ['GET', '/things/7.json', ['get /things/{id}', { id: '7.json' }]],
  ['GET', '//things', []],
  ['GET', '/things//', []],
  ['GET', '/things/%zz', []],
  ['GET', '/api/things', []],
  ['GET', '/THINGS', []],
  ['GET', '/', []],
  ['BREW', '/things', ['GET', 'POST']],
])('%s %s', (method, path, expected) => {
  expect(named(strict(method, path))).toEqual(expected);
});

test.each([
  ['/things/', ['get /things', {}]],
  ['/things.json', ['get /things', {}]],
  ['/things.json/', ['get /things', {}]],
  ['/things/7/', ['get /things/{id}', { id: '7' }]],
  ['/things/7.json', ['get /things/{id}', { id: '7' }]],
  ['/things/.json', []],
  ['/things//', []],
])('where a slash at the end and a suffix are accepted: %s', (path, expected) => {
  expect(named(lenient('GET', path))).toEqual(expected);
});

test('two routes that nothing tells apart are refused', () => {
  const same = [route('get', '/a/{id}'), route('get', '/a/{name}')];
  expect(() => createRouteTable({ routes: same, basePaths: [''] })).toThrow('two routes get /a/{name}');
});
