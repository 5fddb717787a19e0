import { growthOf } from './measure.ts';
import type { Stored } from './measured-platform.ts';

const stored = (...collections: [name: string, documents: number, dataBytes: number][]): Stored => ({
  kafkaBytes: 0,
  collections: collections.map(([name, documents, dataBytes]) => ({
    name,
    documents,
    dataBytes,
    indexBytes: dataBytes / 10,
  })),
});

test('what a delivery leaves is what was added since, in collections that were there and in new ones', () => {
  const before = stored(['deliveries', 100, 50_000], ['leases', 12, 1_200]);
  const after = stored(['deliveries', 300, 170_000], ['events', 20, 30_000], ['leases', 12, 1_300]);
  expect(growthOf(before, after, 200)).toEqual([
    { collection: 'deliveries', documentsPerDelivery: 1, bytesPerDocument: 600, indexBytesPerDocument: 60 },
    { collection: 'events', documentsPerDelivery: 0.1, bytesPerDocument: 1500, indexBytesPerDocument: 150 },
  ]);
});

test('nothing is said of a server that tells no sizes', () => {
  expect(growthOf(stored(), { kafkaBytes: null, collections: null }, 1)).toBeNull();
});
