/** A bound on what is kept in memory. */
export interface MemoryBound {
  readonly deliveries: number;
  readonly bytes: number;
}

/** How much the lanes may have under way and in memory. */
export interface LaneLimits {
  /** Attempts under way at once; slow lanes have a quarter as many beside these. */
  readonly slots: number;
  /** In the memory of one lane. */
  readonly laneDeliveries: number;
  readonly laneBytes: number;
  /** In the memory of all lanes. */
  readonly totalDeliveries: number;
  readonly totalBytes: number;
}

export const defaultLaneLimits: LaneLimits = {
  slots: 512,
  laneDeliveries: 2000,
  laneBytes: 8 * 1024 * 1024,
  totalDeliveries: 20_000,
  totalBytes: 64 * 1024 * 1024,
};
