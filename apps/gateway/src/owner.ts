/**
 * One port, several APIs: the longest registered prefix of whole path segments chooses the owner of a request, before
 * anything else is decided. The owner alone decides authentication and the shape of errors, those of its unknown routes
 * included. Segments are compared decoded, so that `/%76%31` is `/v1`.
 */
import type { RequestHandler } from 'express';

/** An API that lives under prefixes of its own. */
export interface Owner {
  readonly name: string;
  /** As in `/v1/webhook_policies`; `/` is everything that no one else owns. */
  readonly prefixes: readonly string[];
  readonly handle: RequestHandler;
}

interface Node {
  owner: Owner | null;
  readonly children: Map<string, Node>;
}

/** Finds the owner of a path. Throws when two owners claim one prefix, or when nobody owns `/`. */
export function createOwnerLookup(owners: readonly Owner[]): (path: string) => Owner {
  const root: Node = { owner: null, children: new Map() };
  for (const owner of owners) for (const prefix of owner.prefixes) claim(root, prefix, owner);
  const rest = root.owner;
  if (rest === null) throw new Error('Nobody owns "/".');

  return (path) => {
    let node = root;
    let owner: Owner = rest;
    for (const segment of segmentsOf(path)) {
      const child = node.children.get(segment);
      if (child === undefined) break;
      node = child;
      owner = node.owner ?? owner;
    }
    return owner;
  };
}

function claim(root: Node, prefix: string, owner: Owner): void {
  let node = root;
  for (const segment of segmentsOf(prefix)) {
    let child = node.children.get(segment);
    if (child === undefined) node.children.set(segment, (child = { owner: null, children: new Map() }));
    node = child;
  }
  if (node.owner !== null) throw new Error(`Both ${node.owner.name} and ${owner.name} claim ${prefix}.`);
  node.owner = owner;
}

/** The decoded segments up to the first one that can't be decoded. */
function* segmentsOf(path: string): Generator<string> {
  for (const segment of path.slice(1).split('/')) {
    const decoded = decodeSegment(segment);
    if (decoded === null || decoded === '') return;
    yield decoded;
  }
}

function decodeSegment(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
