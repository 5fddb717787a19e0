import { randomFillSync } from 'node:crypto';

/** Where randomness comes from; passed in, so that tests are repeatable. */
export interface Random {
  /** Uniform in [0, 1). For jitter and sampling, never for secrets. */
  number(): number;
  /** `length` bytes, good enough for ids and secrets. */
  bytes(length: number): Uint8Array;
}

/** One call into the kernel is amortised over this many bytes: an id needs ten. */
const poolSize = 4096;
const pool = new Uint8Array(poolSize);
let used = poolSize;

function pooledBytes(length: number): Uint8Array {
  if (length > poolSize) return randomFillSync(new Uint8Array(length));
  if (used + length > poolSize) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.slice(used, used + length);
  // What was handed out may be a secret: it is not kept here.
  pool.fill(0, used, used + length);
  used += length;
  return bytes;
}

/** The machine's randomness: bytes from the operating system's generator, drawn in blocks. */
export const systemRandom: Random = { number: () => Math.random(), bytes: pooledBytes };
