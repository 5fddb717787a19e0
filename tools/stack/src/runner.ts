/** What starts and ends one server, as a process of this machine or in a container, on the same data each time. */
export interface Runner {
  /** Starts it, for the first time or again; resolves before it answers. */
  start(): Promise<void>;
  /** The reason, when it has ended by itself since `start`; null while it runs. */
  failure(): Promise<string | null>;
  /** What it wrote last. */
  lastWords(): Promise<string>;
  kill(): Promise<void>;
  /** Ends it in order, by force when that takes too long. */
  end(): Promise<void>;
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** Removes what is left of it, once it has ended. */
  dispose(): Promise<void>;
}
