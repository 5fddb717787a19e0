/** ricloud's routes. Nothing here answers without a body: its client decodes every one. */
import { apiKeyFromMessage, dispatchV1, taskFromMessage } from '@posthorn/contracts';
import { DomainError, isId } from '@posthorn/models';
import type { AnswerDescription } from '../../native/routing/route.ts';
import { defineDialectRoute, type DialectDeps, type DialectRoute } from '../dialect.ts';
import { organisationIdsOf } from '../find-endpoint.ts';
import {
  createConfig,
  deleteConfig,
  hasValidConfig,
  listConfigs,
  readConfig,
  testConfig,
  updateConfig,
  type ConfigDeps,
} from './configs.ts';
import { unconfigured } from './errors.ts';
import { listEvents, readEvent } from './events.ts';
import {
  configChangesSchema,
  configFilterParameters,
  configSchema,
  eventSchema,
  keySchema,
  listSchema,
  newConfigSchema,
  pageParameters,
  taskSchema,
} from './openapi.ts';
import { parsePage, renderList } from './paging.ts';
import { renderConfig, renderKey, renderTask } from './render.ts';

const params = { id: { description: 'Its id.', schema: { type: 'string' } } } as const;
const shown: Readonly<Record<number, AnswerDescription<unknown>>> = {
  200: { description: 'The config.', schema: configSchema },
};

/** `Ricloud-Await` may hold the answer for ten seconds. */
const testDeadlineMs = 20_000;

export function ricloudRoutes(deps: DialectDeps): readonly DialectRoute[] {
  const { clients } = deps;
  const configs: ConfigDeps = { ...deps, urlPolicy: deps.config.urlPolicy };
  return [
    defineDialectRoute({
      method: 'get',
      path: '/configs/webhook',
      operationId: 'ricloudListConfigs',
      summary: 'List webhook configs',
      description: 'Newest first. Those that are deactivated are only listed when they are asked for.',
      scopes: ['endpoints:read'],
      query: { ...configFilterParameters, ...pageParameters },
      answers: { 200: { description: 'The configs.', schema: listSchema(configSchema) } },
      handle: async (call) => ({ status: 200, body: await listConfigs(configs, call) }),
    }),
    defineDialectRoute({
      method: 'post',
      path: '/configs/webhook',
      operationId: 'ricloudCreateConfig',
      summary: 'Create a webhook config',
      description: 'Its test starts at once; `Ricloud-Await` may hold the answer until it has ended.',
      scopes: ['endpoints:write'],
      body: {
        schema: newConfigSchema,
        required: true,
        examples: { url: { summary: 'A receiver', value: { url: 'https://www.mywebhook.com/webhooks/' } } },
      },
      answers: { 201: { description: 'The config, with its secret.', schema: configSchema } },
      deadlineMs: testDeadlineMs,
      handle: async (call) => ({ status: 201, body: renderConfig(await createConfig(configs, call)) }),
    }),
    defineDialectRoute({
      method: 'get',
      path: '/configs/webhook/{id}',
      operationId: 'ricloudReadConfig',
      summary: 'Read a webhook config',
      scopes: ['endpoints:read'],
      params,
      answers: shown,
      handle: async (call) => ({
        status: 200,
        body: renderConfig(await readConfig(configs, call.params.id, call)),
      }),
    }),
    defineDialectRoute({
      method: 'post',
      path: '/configs/webhook/{id}',
      operationId: 'ricloudUpdateConfig',
      summary: 'Change a webhook config',
      description: 'Its test starts at once, unless it is deactivated. The state `new` tests it again.',
      scopes: ['endpoints:write'],
      params,
      body: {
        schema: configChangesSchema,
        required: true,
        examples: { off: { summary: 'Turned off', value: { state: 'deactivated' } } },
      },
      answers: shown,
      deadlineMs: testDeadlineMs,
      handle: async (call) => ({
        status: 200,
        body: renderConfig(await updateConfig(configs, call.params.id, call)),
      }),
    }),
    defineDialectRoute({
      method: 'delete',
      path: '/configs/webhook/{id}',
      operationId: 'ricloudDeleteConfig',
      summary: 'Delete a webhook config',
      scopes: ['endpoints:write'],
      params,
      answers: { 200: { description: 'The config as it was.', schema: configSchema } },
      handle: async (call) => ({
        status: 200,
        body: renderConfig(await deleteConfig(configs, call.params.id, call)),
      }),
    }),
    ...(['post', 'get'] as const).map((method) =>
      defineDialectRoute({
        method,
        path: '/configs/webhook/{id}/test',
        operationId: method === 'post' ? 'ricloudTestConfig' : 'ricloudTestConfigByGet',
        summary: 'Test a webhook config',
        description:
          'Sends a test event, whose outcome becomes the state of the config. GET and POST do the same.',
        scopes: ['endpoints:write'],
        params,
        answers: { 200: { description: 'The test.', schema: taskSchema } },
        deadlineMs: testDeadlineMs,
        isUnsafe: true,
        handle: async (call) => ({
          status: 200,
          body: renderTask(await testConfig(configs, call.params.id, call)),
        }),
      }),
    ),
    defineDialectRoute({
      method: 'get',
      path: '/tasks',
      operationId: 'ricloudListTasks',
      summary: 'List tasks',
      scopes: ['endpoints:read'],
      query: pageParameters,
      answers: { 200: { description: 'The tests, newest first.', schema: listSchema(taskSchema) } },
      async handle(call) {
        const { limit, afterId, beforeId } = parsePage(call.query);
        const { tasks, hasMore, total } = await clients.tasks.listTasks(
          dispatchV1.ListTasksRequest.fromPartial({
            organisationIds: organisationIdsOf(call),
            kind: dispatchV1.TaskKind.TASK_KIND_TEST,
            limit,
            ...(afterId !== undefined && { afterId }),
            ...(beforeId !== undefined && { beforeId }),
          }),
          call.rpc,
        );
        const items = tasks.map((task) => renderTask(taskFromMessage(task)));
        return { status: 200, body: renderList(items, { hasMore, total, url: call.path }) };
      },
    }),
    defineDialectRoute({
      method: 'post',
      path: '/tasks',
      operationId: 'ricloudCreateTask',
      summary: 'Start a task',
      description:
        'There are no tasks here but the tests of configs, which have a route of their own: this says whether the organisation could have any (400 `unconfigured` when it has no valid config), and that there are none (404).',
      scopes: ['endpoints:write'],
      onlyFails: true,
      answers: {},
      async handle(call) {
        if (!(await hasValidConfig(configs, call))) throw unconfigured();
        throw new DomainError('not_found', 'There is no task that could be started here.');
      },
    }),
    defineDialectRoute({
      method: 'get',
      path: '/tasks/{id}',
      operationId: 'ricloudReadTask',
      summary: 'Read a task',
      scopes: ['endpoints:read'],
      params,
      answers: { 200: { description: 'The test.', schema: taskSchema } },
      async handle(call) {
        const { id } = call.params;
        const { task } = isId(id)
          ? await clients.tasks.getTask({ organisationId: call.organisationId ?? '', id }, call.rpc)
          : {};
        if (task?.kind !== dispatchV1.TaskKind.TASK_KIND_TEST)
          throw new DomainError('not_found', 'There is no such task.');
        return { status: 200, body: renderTask(taskFromMessage(task)) };
      },
    }),
    defineDialectRoute({
      method: 'get',
      path: '/events',
      operationId: 'ricloudListEvents',
      summary: 'List events',
      description: 'What went, or is to go, to the configs.',
      scopes: ['deliveries:read'],
      query: pageParameters,
      answers: { 200: { description: 'The events, newest first.', schema: listSchema(eventSchema) } },
      handle: async (call) => ({ status: 200, bytes: Buffer.from(await listEvents(deps, call)) }),
    }),
    defineDialectRoute({
      method: 'get',
      path: '/events/{id}',
      operationId: 'ricloudReadEvent',
      summary: 'Read an event',
      scopes: ['deliveries:read'],
      params,
      answers: { 200: { description: 'The event.', schema: eventSchema } },
      handle: async (call) => ({
        status: 200,
        bytes: Buffer.from(await readEvent(deps, call.params.id, call)),
      }),
    }),
    defineDialectRoute({
      method: 'get',
      path: '/key',
      operationId: 'ricloudReadKey',
      summary: 'Read the key in use',
      scopes: [],
      answers: { 200: { description: 'The key.', schema: keySchema } },
      async handle({ principal, rpc }) {
        const organisationId = principal.organisationId ?? undefined;
        const { key } = await clients.keys.getKey({ organisationId, id: principal.id }, rpc);
        if (key === undefined) throw new DomainError('not_found', 'The key is gone.');
        return { status: 200, body: renderKey(apiKeyFromMessage(key)) };
      },
    }),
  ];
}
