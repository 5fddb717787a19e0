import { operationsIn, unrecordedIn } from './metrics.ts';

const metrics = `# HELP posthorn_mongo_operation_duration_seconds How long operations took.
posthorn_mongo_operation_duration_seconds_bucket{le="0.1",collection="a",operation="find",result="ok"} 9
posthorn_mongo_operation_duration_seconds_sum{collection="a",operation="find",result="ok"} 0.5
posthorn_mongo_operation_duration_seconds_count{collection="a",operation="find",result="ok"} 7
posthorn_mongo_operation_duration_seconds_count{collection="a",operation="find",result="error"} 2
posthorn_mongo_operation_duration_seconds_count{collection="a",operation="insertMany",result="ok"} 3
posthorn_log_unrecorded_events 12
`;

test('operations are counted by collection and kind, failed ones included', () => {
  expect(operationsIn(metrics)).toEqual(
    new Map([
      ['a find', 9],
      ['a insertMany', 3],
    ]),
  );
});

test('a service that does not say what is unrecorded is not taken for one that has recorded all', () => {
  expect(unrecordedIn(metrics)).toBe(12);
  expect(unrecordedIn('')).toBeNaN();
});
