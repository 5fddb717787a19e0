/**
 * A secret that was decoded once and signs many times. A signature scheme is one file that makes such keys; what it signs
 * and how its header looks is its own affair.
 */
export interface SigningKey {
  /**
   * Signs `prefix` followed by the pieces of the body, as if they were one.
   *
   * @returns the signature with its identifier, such as `v1,K5oZ…`.
   */
  sign(prefix: string, body: readonly Uint8Array[]): string;
}
