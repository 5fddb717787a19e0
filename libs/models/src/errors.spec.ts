import { DomainError } from './errors.ts';

describe('DomainError.from', () => {
  it('passes its own kind on as it is', () => {
    const error = new DomainError('not_found', 'No such endpoint.');
    expect(DomainError.from(error)).toBe(error);
  });

  it('keeps the text of anything else private', () => {
    for (const value of [new Error('password=hunter2'), 'hunter2', undefined]) {
      const error = DomainError.from(value);
      expect(error).toMatchObject({ code: 'internal', violations: [] });
      expect(error.cause).toBe(value);
      expect(error.message).not.toContain('hunter2');
    }
  });
});

describe('DomainError.invalid', () => {
  const violation = { field: '/name', code: 'too_long', message: 'At most 255 characters are allowed.' };

  it('says what is wrong when it is one thing', () => {
    const error = DomainError.invalid([violation]);
    expect(error).toMatchObject({ code: 'invalid_argument', violations: [violation] });
    expect(error.message).toBe('/name: At most 255 characters are allowed.');
  });

  it('names no field when it is the whole body', () => {
    expect(DomainError.invalid([{ ...violation, field: '' }]).message).toBe(violation.message);
  });

  it('counts when it is more', () => {
    expect(DomainError.invalid([violation, violation]).message).toBe(
      '2 problems were found; see violations.',
    );
  });
});
