/** The part of kafkajs's inside that `kafkajs-repairs.ts` mends. */
declare module 'kafkajs/src/network/connection.js' {
  // eslint-disable-next-line no-restricted-exports -- What its CommonJS module is, seen as a default export.
  export default class Connection {
    /** What was received and isn't a whole response yet. */
    chunks: Buffer[];
    bytesBuffered: number;
    bytesNeeded: number;
    isConnected(): boolean;
    connect(): Promise<unknown>;
    disconnect(): Promise<unknown>;
  }
}
