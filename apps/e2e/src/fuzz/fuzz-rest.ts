/**
 * Every route of the OpenAPI document, native and dialects, on the embedded platform: nothing answers 5xx, or otherwise than the
 * document says, whatever is sent.
 */
import { startReceiver } from '@posthorn/testing';
import { preparePlatform } from '../platform-process.ts';
import { createTenant, type Tenant } from '../tenant.ts';
import type { FuzzOptions, FuzzPart, FuzzResult } from './part.ts';
import { installSchemathesis, runSchemathesis } from './schemathesis.ts';

interface Surface {
  readonly what: string;
  readonly paths: string;
  /** How a key is shown. */
  readonly scheme: 'Bearer' | 'Token';
  /** Whether the requests are an operator's. */
  readonly isOperators?: true;
  readonly withoutChecks: readonly string[];
}

/**
 * More than what a schema can say may be wrong with a request: two fields that don't go together, a cursor of another list. Who may do
 * what is tried by the access matrix.
 */
const native = ['positive_data_acceptance', 'ignored_auth'];
/** And their clients may send what their documents don't name. */
const dialect = [...native, 'negative_data_rejection', 'missing_required_header', 'unsupported_method'];

const surfaces: readonly Surface[] = [
  {
    what: 'native',
    paths: '^/(v1/(?!webhook_policies|events/batch)|callbacks/|\\.well-known/)',
    scheme: 'Bearer',
    withoutChecks: native,
  },
  // Answers each event of a batch by itself.
  {
    what: 'batches',
    paths: '^/v1/events/batch$',
    scheme: 'Bearer',
    withoutChecks: [...native, 'negative_data_rejection'],
  },
  { what: 'ricloud', paths: '^/(configs|tasks|events|key)(/|$)', scheme: 'Token', withoutChecks: dialect },
  { what: 'xurrent', paths: 'webhook_policies', scheme: 'Bearer', withoutChecks: dialect },
  { what: 'rapidly', paths: '^/api/webhooks/', scheme: 'Bearer', withoutChecks: dialect },
  { what: 'preo', paths: '/webhook-endpoints', scheme: 'Bearer', withoutChecks: dialect },
  // Last: it may delete organisations.
  {
    what: 'operators',
    paths: '^/v1/(organisations|keys)',
    scheme: 'Bearer',
    isOperators: true,
    withoutChecks: native,
  },
];

/** Examples of an operation make about four cases, with what is tried of each whatever the number. */
const casesOfAnExample = 130;

export const rest: FuzzPart = { name: 'rest', shortCases: 400, longCases: 100_000, run };

async function run({ cases, seed, tell }: FuzzOptions): Promise<readonly FuzzResult[]> {
  const program = installSchemathesis(tell);
  const platform = await preparePlatform({
    env: { POSTHORN_DIALECT_XURRENT_REQUESTS_PER_HOUR: '100000000' },
  });
  const receiver = await startReceiver();
  try {
    await platform.start();
    const tenant = await createTenant(platform);
    await fill(tenant, receiver.url);
    const results: FuzzResult[] = [];
    for (const { what, paths, scheme, isOperators, withoutChecks } of surfaces) {
      tell(`requests to ${what}`);
      const key = isOperators ? platform.operatorKey : tenant.key;
      const result = await runSchemathesis(program, {
        document: `${platform.url}/openapi.json`,
        paths,
        headers: { Authorization: `${scheme} ${key}` },
        withoutChecks,
        examples: Math.max(1, Math.round(cases / casesOfAnExample)),
        seed,
      });
      results.push({ what: `requests to ${what}`, ...result });
    }
    await expectWell(platform.url);
    return results;
  } finally {
    await receiver.close();
    await platform.dispose();
  }
}

/** Something of every kind, so that lists aren't empty. */
async function fill(tenant: Tenant, url: string): Promise<void> {
  const policy = await tenant.ok<{ id: string }>('POST', '/v1/policies', { algorithm: 'es256' });
  for (const dialect of ['standard', 'ricloud', 'xurrent', 'rapidly', 'preo']) {
    await tenant.endpoint({ url, dialect, ...(dialect === 'xurrent' && { policy: policy.id }) });
  }
  for (let n = 0; n < 5; n += 1) await tenant.publish({ type: 'order.paid', data: { n } });
}

async function expectWell(url: string): Promise<void> {
  const answer = await fetch(`${url}/readyz`);
  if (!answer.ok) throw new Error(`the platform isn't ready afterwards: ${await answer.text()}`);
}
