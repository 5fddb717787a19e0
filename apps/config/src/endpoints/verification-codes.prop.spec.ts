import fc from 'fast-check';
import { newId } from '@posthorn/models';
import { createKeyring } from '../secrets/keyring.ts';
import { createVerificationCodes } from './verification-codes.ts';

const id = fc
  .tuple(fc.nat(2 ** 31), fc.uint8Array({ minLength: 10, maxLength: 10 }))
  .map(([ms, random]) => newId(ms * 1000, () => random));
const round = fc.record({ organisationId: id, endpointId: id, verificationId: id });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('codes of verification callbacks', () => {
  it('name the round that they were made for, for whoever has the key, and nothing for anybody else', () => {
    fc.assert(
      fc.property(round, key, key, (asked, ours, theirs) => {
        fc.pre(Buffer.compare(ours, theirs) !== 0);
        const code = createVerificationCodes(createKeyring([ours])).codeFor(asked);
        expect(createVerificationCodes(createKeyring([theirs, ours])).read(code)).toEqual(asked);
        expect(createVerificationCodes(createKeyring([theirs])).read(code)).toBeNull();
      }),
    );
  });

  it('are nothing else that somebody could send', () => {
    const codes = createVerificationCodes(createKeyring([new Uint8Array(32)]));
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String(), fc.uint8Array({ minLength: 64, maxLength: 64 })),
        (sent) => {
          const text = typeof sent === 'string' ? sent : Buffer.from(sent).toString('base64url');
          expect(codes.read(text)).toBeNull();
        },
      ),
    );
  });
});
