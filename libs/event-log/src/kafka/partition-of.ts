/**
 * Which partition a key belongs to: the same for the same number of partitions, whoever asks and for ever. It is what Kafka's
 * own clients do with a key (murmur2), so that other tools find a key where we put it.
 */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** MurmurHash2 in its 32-bit form, with Kafka's seed. Signed. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const at = (index: number): number => bytes[index] ?? 0;
  let hash = seed ^ length;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    let word = at(index) | (at(index + 1) << 8) | (at(index + 2) << 16) | (at(index + 3) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  const rest = length - index;
  if (rest >= 3) hash ^= at(index + 2) << 16;
  if (rest >= 2) hash ^= at(index + 1) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ at(index), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
