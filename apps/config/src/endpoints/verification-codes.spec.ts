import { createKeyring } from '../secrets/keyring.ts';
import { sampleId } from '../stores/sample-resources.harness.ts';
import { createVerificationCodes } from './verification-codes.ts';

const [oldKey, newKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const round = { organisationId: sampleId(1), endpointId: sampleId(2), verificationId: sampleId(3) };

describe('the code of a verification callback', () => {
  const codes = createVerificationCodes(createKeyring([newKey]));

  it('names its round, the same each time, in characters that a path can hold', () => {
    const code = codes.codeFor(round);
    expect(code).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(codes.codeFor(round)).toBe(code);
    expect(codes.read(code)).toEqual(round);
  });

  it('is another for another round, endpoint or organisation', () => {
    const others = [
      { ...round, organisationId: sampleId(9) },
      { ...round, endpointId: sampleId(9) },
      { ...round, verificationId: sampleId(9) },
    ];
    expect(new Set([round, ...others].map(codes.codeFor)).size).toBe(4);
  });

  it("is nobody's when a single character of it differs, or is missing, or is too much", () => {
    const code = codes.codeFor(round);
    for (let at = 0; at < code.length; at++) {
      const other = code[at] === 'A' ? 'B' : 'A';
      expect(codes.read(code.slice(0, at) + other + code.slice(at + 1))).toBeNull();
    }
    for (const text of ['', code.slice(1), `${code}A`, `${code}=`, ` ${code}`]) {
      expect(codes.read(text)).toBeNull();
    }
  });

  it('is read while the key that made it is in the keyring, and no longer', () => {
    const code = createVerificationCodes(createKeyring([oldKey])).codeFor(round);
    expect(createVerificationCodes(createKeyring([newKey, oldKey])).read(code)).toEqual(round);
    expect(codes.read(code)).toBeNull();
  });
});
