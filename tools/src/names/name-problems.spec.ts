import { nameProblems } from './name-problems.ts';

describe('nameProblems', () => {
  test.each([
    'libs/runtime/src/utils/retry.ts',
    'libs/runtime/src/types.ts',
    'libs/models/src/constants.spec.ts',
    'apps/gateway/src/core/routes.ts',
    'apps/gateway/src/string-helpers.ts',
    'libs/common/package.json',
  ])('refuses a name that says nothing: %s', (path) => {
    expect(nameProblems([path])).toEqual([expect.stringContaining('says nothing')]);
  });

  test.each(['apps/gateway/src/sendAnswer.ts', 'libs/Models/src/event.ts', 'docs/Flow.md'])(
    "refuses a name that isn't kebab-case: %s",
    (path) => {
      expect(nameProblems([path])).toEqual([expect.stringContaining("isn't kebab-case")]);
    },
  );

  test('refuses an index.ts below the root of a project', () => {
    expect(nameProblems(['apps/gateway/src/native/index.ts'])).toEqual([
      expect.stringContaining('index.ts only'),
    ]);
  });

  test.each([
    'libs/models/src/index.ts',
    'libs/models/src/events/event-type.ts',
    'apps/config/src/event-types/event-types.ts',
    'apps/dispatcher/src/deliveries/delivery-store.sqlite.ts',
    'libs/contracts/src/gen/google/protobuf/field_mask.ts',
    'docs/decisions/0001-no-build-step.md',
    'docs/decisions/README.md',
    'proto/posthorn/config/v1/event_types.proto',
    'jest.e2e.config.js',
  ])('accepts %s', (path) => {
    expect(nameProblems([path])).toEqual([]);
  });
});
