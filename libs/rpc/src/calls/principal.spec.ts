import { noPublishLimits, type Principal } from '@posthorn/models';
import { encodePrincipal, principalFromMetadata, principalKey, requireOrganisation } from './principal.ts';

const tenant: Principal = {
  kind: 'key',
  id: 'Schlüssel',
  organisationId: 'organisation-1',
  scopes: ['events:write'],
};
const operator: Principal = { ...tenant, organisationId: null, scopes: ['*'] };

function read(value: string | undefined): Principal {
  return principalFromMetadata({ get: (name) => (name === principalKey ? value : undefined) });
}

describe('a principal in metadata', () => {
  it.each([
    tenant,
    operator,
    { ...operator, kind: 'service' as const },
    { ...tenant, routesTo: 'endpoint-1' },
    { ...tenant, limits: { publishesPerSecond: 1, publishesPerDay: null, bytesPerDay: 5 } },
  ])('comes back as it was', (principal) => {
    expect(read(encodePrincipal(principal))).toEqual(principal);
  });

  it('is text that metadata can carry', () => {
    expect(encodePrincipal(tenant)).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it('loses scopes that this version does not know, and keeps the others', () => {
    const newer = Buffer.from(JSON.stringify({ ...tenant, scopes: ['tea:read', 'events:write'] }));

    expect(read(newer.toString('base64url'))).toEqual(tenant);
  });

  it.each([
    ['missing', undefined],
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['no object', Buffer.from('null').toString('base64url')],
    ['of no kind', encode({ ...tenant, kind: 'god' })],
    ['without an id', encode({ ...tenant, id: undefined })],
    ['without an organisation, nor none', encode({ ...tenant, organisationId: undefined })],
    ['limited by nothing', encode({ ...tenant, limits: null })],
    ['limited by no number', encode({ ...tenant, limits: { ...noPublishLimits, bytesPerDay: '1' } })],
    ['routed to no text', encode({ ...tenant, routesTo: 1 })],
    ['without scopes', encode({ ...tenant, scopes: 'events:write' })],
  ])('is refused when it is %s', (_how, value) => {
    expect(() => read(value)).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
  });
});

describe('requireOrganisation', () => {
  it('lets a tenant act for its own organisation, and answers any other like an unknown one', () => {
    expect(() => requireOrganisation(tenant, 'organisation-1')).not.toThrow();
    expect(() => requireOrganisation(tenant, 'organisation-2')).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
    expect(() => requireOrganisation(tenant, '')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('lets operators and services act for any', () => {
    expect(() => requireOrganisation(operator, 'organisation-2')).not.toThrow();
  });
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
