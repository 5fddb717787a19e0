import { connect as connectTls } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client as GrpcClient, Metadata, credentials, status as Code } from '@grpc/grpc-js';
import { grpcHealthV1, ingestV1 } from '@posthorn/contracts';
import type { DomainError } from '@posthorn/models';
import { createTestAuthority, eventually, FakeClock } from '@posthorn/testing';
import { gatewayPrincipal, tokenKey, useSecurity, type CertificateDirectory } from './security.harness.ts';
import { createNetworkClient } from '../network/network-client.ts';
import { callBare, statusOf, useServers, withPrincipal } from '../network/server.harness.ts';
import { failureOf, options, principal, request, type IngestClient } from '../transport.harness.ts';
import type { TransportSecuritySettings } from './transport-security.ts';

const servers = useServers();
const { directory, certificates, serve, connect, open } = useSecurity(servers);

const tokens: TransportSecuritySettings = { kind: 'tokens', keys: [tokenKey(1)] };
const dayMs = 86_400_000;

function streamOutcome(client: IngestClient): Promise<DomainError | null> {
  return new Promise((resolve) => {
    const stream = client.publishStream(options);
    stream.onMessage(() => undefined);
    stream.onClose(resolve);
    stream.end();
  });
}

/** At the caller's end a service that refuses it isn't available; nobody's API key is wrong because of that. */
const refusedWith = (code: string) => ({ code: 'unavailable', cause: { code } });

describe('services with certificates', () => {
  const authority = createTestAuthority();
  const eventIngest = () => certificates(authority, 'event-ingest');

  it('believes the gateway for whom it calls, in calls and in streams', async () => {
    const { port, principals } = await serve(eventIngest());
    const client = await connect(port, 'gateway', certificates(authority, 'gateway'));

    await client.publish(request(), options);
    expect(await streamOutcome(client)).toBeNull();
    await client.publish(request(), { principal: gatewayPrincipal });

    expect(principals).toEqual([principal, principal, gatewayPrincipal]);
  });

  it.each<[string, () => TransportSecuritySettings, string]>([
    [
      'from another authority',
      () => {
        const own = directory();
        own.issue(createTestAuthority(), { names: ['gateway'] }, [authority]);
        return { kind: 'tls', ...own.paths };
      },
      'unauthenticated',
    ],
    [
      'that has expired',
      () => certificates(authority, 'gateway', { validTo: new Date(Date.now() - 1_000) }),
      'unauthenticated',
    ],
    [
      'that is not valid yet',
      () => certificates(authority, 'gateway', { validFrom: new Date(Date.now() + dayMs / 2) }),
      'unauthenticated',
    ],
    ['for no service', () => certificates(authority, 'gateway.example'), 'unauthenticated'],
    ['for every name', () => certificates(authority, '*'), 'unauthenticated'],
    ['for a service that may not call', () => certificates(authority, 'dispatcher'), 'permission_denied'],
  ])('refuses a caller with a certificate %s', async (_what, caller, code) => {
    const { port, principals } = await serve(eventIngest());
    const client = await connect(port, 'gateway', caller());

    expect(await failureOf(client.publish(request(), options))).toMatchObject(refusedWith(code));
    expect(await streamOutcome(client)).toMatchObject(refusedWith(code));
    expect(principals).toEqual([]);
  });

  it('refuses a caller without a certificate whatever principal it states, and tells it whether it is healthy', async () => {
    const { port, principals } = await serve(eventIngest());
    const bare = new GrpcClient(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(authority.cert)), {
      'grpc.ssl_target_name_override': 'event-ingest',
    });
    servers.defer(() => bare.close());

    const call = callBare(bare, ingestV1.IngestServiceService.publish, request(), withPrincipal());
    expect(await statusOf(call)).toMatchObject({ code: Code.UNAUTHENTICATED });
    expect(principals).toEqual([]);
    expect(await callBare(bare, grpcHealthV1.HealthService.check, { service: '' })).toMatchObject({
      status: grpcHealthV1.HealthCheckResponse_ServingStatus.NOT_SERVING,
    });
  });

  it('lets nobody speak plain text', async () => {
    const { port, principals } = await serve(eventIngest());

    const call = callBare(
      servers.connectBare(port),
      ingestV1.IngestServiceService.publish,
      request(),
      withPrincipal(),
    );

    expect(await statusOf(call)).toMatchObject({ code: Code.UNAVAILABLE });
    expect(principals).toEqual([]);
  });

  it.each<[string, () => TransportSecuritySettings]>([
    ['has the certificate of another service', () => certificates(authority, 'config')],
    ['is from another authority', () => certificates(createTestAuthority(), 'event-ingest')],
    [
      'has an expired certificate',
      () => certificates(authority, 'event-ingest', { validTo: new Date(Date.now() - 1_000) }),
    ],
  ])('sends nothing to a server that %s', async (_what, impostor) => {
    const { port, principals } = await serve(impostor());
    const client = await connect(port, 'gateway', certificates(authority, 'gateway'));

    expect(await failureOf(client.publish(request(), options))).toMatchObject({ code: 'unavailable' });
    expect(principals).toEqual([]);
  });

  it('changes certificates and authority while calls run, without one that fails', async () => {
    const clock = new FakeClock();
    const [ours, theirs] = [directory(), directory()];
    const next = createTestAuthority();
    ours.issue(authority, { names: ['event-ingest'] });
    theirs.issue(authority, { names: ['gateway'] });
    const { port, shown } = await serve({ kind: 'tls', ...ours.paths }, { clock, maxConnectionAgeMs: 300 });
    const client = await connect(port, 'gateway', { kind: 'tls', ...theirs.paths }, clock);
    let running = true;
    servers.defer(() => (running = false));
    const failures: unknown[] = [];
    const work = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) {
          await client.publish(request(), options).catch((error: unknown) => {
            failures.push(error);
            running = false;
          });
        }
      }),
    );
    /** Until the running calls are made on a connection with the files of now, on both sides. */
    const readAgain = async (): Promise<void> => {
      await clock.advanceAsync(10_000);
      await eventually(() => failures.length > 0 || shown.has(certificateIn(theirs)));
      await eventually(async () => (await servedCertificate(port)) === certificateIn(ours));
    };

    // As one renews an authority: trust both, then use the new one, then forget the old one.
    ours.issue(authority, { names: ['event-ingest'] }, [authority, next]);
    theirs.issue(authority, { names: ['gateway'] }, [authority, next]);
    await readAgain();
    ours.issue(next, { names: ['event-ingest'] }, [authority, next]);
    theirs.issue(next, { names: ['gateway'] }, [authority, next]);
    await readAgain();
    ours.issue(next, { names: ['event-ingest'] });
    theirs.issue(next, { names: ['gateway'] });
    await readAgain();
    running = false;
    await work;

    expect(failures).toEqual([]);
    const stale = await connect(port, 'gateway', certificates(authority, 'gateway'));
    expect(await failureOf(stale.publish(request(), options))).toMatchObject({ code: 'unavailable' });
  });
});

/** Which certificate a new connection is shown, in base64. */
function servedCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    const socket = connectTls(options, () => {
      resolve(socket.getPeerX509Certificate()?.raw.toString('base64') ?? 'none');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

function certificateIn({ paths }: CertificateDirectory): string {
  return new X509Certificate(readFileSync(paths.certFile)).raw.toString('base64');
}

describe('services with signed tokens', () => {
  it('believes the gateway for whom it calls, in calls and in streams', async () => {
    const { port, principals } = await serve(tokens);
    const client = await connect(port, 'gateway', tokens);

    await client.publish(request(), options);
    expect(await streamOutcome(client)).toBeNull();

    expect(principals).toEqual([principal, principal]);
  });

  it('refuses a caller without a token whatever principal it states, and tells it whether it is healthy', async () => {
    const { port, principals } = await serve(tokens);
    const bare = servers.connectBare(port);

    const call = callBare(bare, ingestV1.IngestServiceService.publish, request(), withPrincipal());
    expect(await statusOf(call)).toMatchObject({
      code: Code.UNAUTHENTICATED,
      details: 'Only services of the platform may call this one.',
    });
    expect(principals).toEqual([]);
    await callBare(bare, grpcHealthV1.HealthService.check, { service: '' });
  });

  it('refuses a token under another key, and one of a service that may not call', async () => {
    const { port, principals } = await serve(tokens);
    const stranger = await connect(port, 'gateway', { kind: 'tokens', keys: [tokenKey(2)] });
    const dispatcher = await connect(port, 'dispatcher', tokens);

    expect(await failureOf(stranger.publish(request(), options))).toMatchObject(
      refusedWith('unauthenticated'),
    );
    expect(await failureOf(dispatcher.publish(request(), options))).toMatchObject(
      refusedWith('permission_denied'),
    );
    expect(await streamOutcome(stranger)).toMatchObject(refusedWith('unauthenticated'));
    expect(principals).toEqual([]);
  });

  it('takes tokens under every key of its list, so that keys can be changed', async () => {
    const { port } = await serve({ kind: 'tokens', keys: [tokenKey(2), tokenKey(1)] });

    for (const key of [tokenKey(1), tokenKey(2)]) {
      const client = await connect(port, 'gateway', { kind: 'tokens', keys: [key] });
      expect(await client.publish(request(), options)).toEqual({ accepted: undefined });
    }
  });

  it('refuses a token that was made for another service', async () => {
    const { port, principals } = await serve(tokens);
    const { headers } = await open('gateway', tokens).channelTo('config');
    const metadata = new Metadata();
    for (const [name, value] of Object.entries({ ...headers(), ...withPrincipal().toJSON() })) {
      metadata.set(name, String(value));
    }

    const call = callBare(
      servers.connectBare(port),
      ingestV1.IngestServiceService.publish,
      request(),
      metadata,
    );

    expect(await statusOf(call)).toMatchObject({
      code: Code.UNAUTHENTICATED,
      details: "The proof of the caller's service is not valid.",
    });
    expect(principals).toEqual([]);
  });
});

describe('services that are told to do without', () => {
  it('believes whoever calls', async () => {
    const { port, principals } = await serve({ kind: 'none' });
    const client = await connect(port, 'dispatcher', { kind: 'none' });

    await client.publish(request(), options);

    expect(principals).toEqual([principal]);
  });
});

describe('a client of several replicas', () => {
  it('uses all of them in turn, and goes on with the rest when one is gone', async () => {
    const replicas = await Promise.all([serve(tokens), serve(tokens)]);
    const { channelTo } = open('gateway', tokens);
    const client = createNetworkClient(
      ingestV1.IngestServiceService,
      `ipv4:${replicas.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
      { security: await channelTo('event-ingest'), waitForReady: true },
    );
    servers.defer(() => client.close());

    await eventually(async () => {
      await client.publish(request(), options);
      return replicas.every(({ principals }) => principals.length > 0);
    });
  });
});
