import { silentLogger } from '@posthorn/runtime';
import { createWaitingLanes } from './waiting-lanes.ts';

it('tells of what waits for everybody, also when the view of one organisation cannot be had', async () => {
  const told: string[] = [];
  const lane = (organisationId: string, endpointId: string) => ({
    organisationId,
    endpointId,
    dueAt: new Date(5),
  });
  const find = createWaitingLanes({
    due: { lanes: () => Promise.resolve([lane('sick', 'a'), lane('well', 'b'), lane('well', 'c')]) },
    directory: { loadAvailable: () => Promise.resolve(new Map([['sick', new Error('a bug')]])) },
    lanes: {
      noteStored: (organisationId, endpointId, dueAt) =>
        void told.push(`${organisationId} ${endpointId} ${dueAt}`),
      refresh: (organisationId) => void told.push(organisationId),
    },
    logger: silentLogger,
  });
  await find([0]);
  expect(told).toEqual(['sick a 5', 'well b 5', 'well c 5', 'sick', 'well']);
});
