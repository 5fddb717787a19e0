import { refuseSecrets, rememberSecret, rememberSecrets } from './known-secrets.ts';

/** Calls the native REST API as any HTTP client would. What is secret in a body or an answer is remembered, and looked for later. */
export interface RestClient {
  /** A body of text or bytes is sent as it is, any other as JSON. */
  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<RestAnswer<T>>;
  /** The same, and throws unless the answer is 2xx. */
  ok<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** As another key, or for an organisation that the key is to act for. */
  as(change: { readonly key?: string; readonly organisation?: string }): RestClient;
}

export interface RestAnswer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly text: string;
}

interface RestClientOptions {
  readonly url: string;
  readonly key: string;
  readonly organisation?: string;
}

export function createRestClient(options: RestClientOptions): RestClient {
  const { url, key, organisation } = options;
  // A token of an issuer; keys of ours are remembered when they are made.
  if (/^eyJ[\w-]+\.[\w-]+\./.test(key)) rememberSecret('a token of an issuer', key);

  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RestAnswer<T>> {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(organisation !== undefined && { 'posthorn-organisation': organisation }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw(body) ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    rememberSecrets(path, body);
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const answered = (isJson ? JSON.parse(text) : undefined) as T;
    if (response.ok) rememberSecrets(path, answered);
    else refuseSecrets(`the answer ${response.status} to ${method} ${path}`, text);
    return { status: response.status, headers: response.headers, body: answered, text };
  }

  return {
    call,
    async ok<T>(method: string, path: string, body?: unknown): Promise<T> {
      const answer = await call<T>(method, path, body);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      return answer.body;
    },
    as: (change) => createRestClient({ ...options, ...change }),
  };
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array;
}
