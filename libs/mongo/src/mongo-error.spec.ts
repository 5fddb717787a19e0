import { DomainError } from '@posthorn/models';
import {
  MongoError,
  MongoNetworkError,
  MongoParseError,
  MongoServerError,
  MongoTopologyClosedError,
} from 'mongodb';
import { fromMongoError, isDuplicateKey, isUnavailable } from './mongo-error.ts';

const serverError = (code: number, errorLabels: string[] = []) =>
  new MongoServerError({ message: 'no', code, errorLabels });

describe('errors of the driver', () => {
  it.each([
    ['a lost connection', new MongoNetworkError('closed')],
    ['a primary that stepped down', serverError(189)],
    ['a server that is shutting down', serverError(91)],
    ['a secondary that was asked to write', serverError(10_107)],
    ['a majority that did not confirm in time', serverError(64)],
    ['an operation over its time limit', serverError(50)],
    ['what the server says may be tried again', serverError(1, ['RetryableWriteError'])],
    ['a closed client', new MongoTopologyClosedError()],
  ])('say "not now" for %s', (_, error) => {
    expect(isUnavailable(error)).toBe(true);
    expect(fromMongoError(error)).toMatchObject({ code: 'unavailable', cause: error });
  });

  it('say "not now" for a full disk, but are not tried again at once', () => {
    expect(isUnavailable(serverError(14_031))).toBe(false);
    expect(fromMongoError(serverError(14_031))).toMatchObject({
      code: 'unavailable',
      message: "The database's disk is full.",
    });
  });

  it.each([
    ['an unknown operator', serverError(2)],
    ['a duplicate key', serverError(11_000)],
    ['refused credentials', serverError(18)],
    ['a broken connection string', new MongoParseError('no')],
    ['an error without a code', new MongoError('no')],
    ['an error of ours', new DomainError('not_found', 'There is none.')],
    ['anything else', new TypeError('no')],
  ])('stay as they are for %s', (_, error) => {
    expect(isUnavailable(error)).toBe(false);
    expect(fromMongoError(error)).toBe(error);
  });

  it('tell a duplicate key apart', () => {
    expect(isDuplicateKey(serverError(11_000))).toBe(true);
    expect(isDuplicateKey(serverError(2))).toBe(false);
    expect(isDuplicateKey(new Error('E11000'))).toBe(false);
  });
});
