import { X509Certificate } from 'node:crypto';
import { createTestAuthority } from './test-authority.ts';

describe('createTestAuthority', () => {
  const authority = createTestAuthority();

  it('issues certificates that it signed, for those names and that time', () => {
    const names = ['receiver.test', '127.0.0.1'];
    const { cert, key } = authority.issue({ names, validTo: new Date('2049-01-02T03:04:05Z') });
    const issued = new X509Certificate(cert);
    const root = new X509Certificate(authority.cert);
    expect(issued.verify(root.publicKey)).toBe(true);
    expect(issued.checkIssued(root)).toBe(true);
    expect(root.ca).toBe(true);
    expect(issued.checkHost('receiver.test')).toBe('receiver.test');
    expect(issued.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(issued.checkHost('other.test')).toBeUndefined();
    expect(issued.validToDate).toEqual(new Date('2049-01-02T03:04:05Z'));
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it('is another authority each time', () => {
    const issued = new X509Certificate(authority.issue({ names: ['a.test'] }).cert);
    expect(issued.verify(new X509Certificate(createTestAuthority().cert).publicKey)).toBe(false);
  });
});
