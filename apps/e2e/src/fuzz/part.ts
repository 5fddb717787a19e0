/** One part of a fuzz run. */
export interface FuzzPart {
  readonly name: 'rest' | 'grpc' | 'rules';
  /** How many cases the short form has, about. */
  readonly shortCases: number;
  /** How many the long form has, about. */
  readonly longCases: number;
  readonly run: (options: FuzzOptions) => Promise<readonly FuzzResult[]>;
}

export interface FuzzOptions {
  /** About how many. */
  readonly cases: number;
  readonly seed: number;
  /** Tells a person how far it is. */
  readonly tell: (line: string) => void;
}

export interface FuzzResult {
  readonly what: string;
  readonly cases: number;
  /** What was found, for a person; null when all went well. */
  readonly finding: string | null;
}
