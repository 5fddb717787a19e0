/** What a backlog is measured on: all that differs between one process on SQLite and the four services. */
export interface BacklogPlatform {
  /** The servers that it runs over, for the report. */
  readonly servers: Readonly<Record<string, string>>;
  /** How many deliveries wait unless it is said. */
  readonly deliveries: number;
  readonly operatorKey: string;
  /** Of the REST API; another one once it was filled. */
  readonly url: string;
  /** CPU seconds of the process that delivers, since it was started. */
  cpuSeconds(): number;
  /** The most memory that the process that delivers had since it was started, in MiB. */
  maxRssMib(): number;
  /** Stops what delivers, puts so many copies of the one delivery that waits into storage, and starts it again. */
  fill(deliveries: number): Promise<Filled>;
  /** Does the work; when it fails, says what is known of it. */
  explain<T>(work: () => Promise<T>): Promise<T>;
}

export interface Filled {
  /** How long it took to write them. */
  readonly seconds: number;
  /** What is stored then; null when the server doesn't tell us. */
  readonly mib: number | null;
}
