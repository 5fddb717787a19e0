/** Header names and values by turns, as undici takes them without building an object. */
export type HeaderList = readonly string[];

/** An event in a format, the same for every endpoint and attempt. */
export interface Envelope {
  /** The headers that belong to the format; names in lower case. */
  readonly headers: HeaderList;
  readonly body: Buffer;
}
