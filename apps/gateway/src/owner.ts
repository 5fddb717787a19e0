/**
 * One port, several APIs: the longest registered prefix of whole path segments chooses the owner of a request, before
 * anything else is decided. The owner alone decides authentication and the shape of errors, those of its unknown routes
 * included. Segments are compared decoded, so that `/%76%31` is `/v1`.
 */
import type { RequestHandler } from 'express';

/** Prefixes that somebody has. */
export interface Claims {
  readonly name: string;
  /** As in `/webhook_policies`: all below is this owner's alone. */
  readonly prefixes: readonly string[];
  /** As in `/v1`: all below is this owner's, but for what others claim there; `/` is everything that no one else owns. */
  readonly openPrefixes?: readonly string[];
}

/** An API that lives under prefixes of its own. */
export interface Owner extends Claims {
  readonly handle: RequestHandler;
}

interface Node<O> {
  owner: O | null;
  isOpen: boolean;
  readonly children: Map<string, Node<O>>;
}

/** Finds the owner of a path. Throws when two owners claim one prefix, or one within another's, or when nobody owns `/`. */
export function createOwnerLookup<O extends Claims>(owners: readonly O[]): (path: string) => O {
  const root: Node<O> = newNode();
  for (const owner of owners) {
    for (const prefix of owner.prefixes) claim(root, prefix, owner, false);
    for (const prefix of owner.openPrefixes ?? []) claim(root, prefix, owner, true);
  }
  const rest = root.owner;
  if (rest === null) throw new Error('Nobody owns "/".');
  refuseNested(root, null, '');

  return (path) => {
    let node = root;
    let owner: O = rest;
    for (const segment of segmentsOf(path)) {
      const child = node.children.get(segment);
      if (child === undefined) break;
      node = child;
      owner = node.owner ?? owner;
    }
    return owner;
  };
}

function newNode<O>(): Node<O> {
  return { owner: null, isOpen: false, children: new Map() };
}

function claim<O extends Claims>(root: Node<O>, prefix: string, owner: O, isOpen: boolean): void {
  let node = root;
  for (const segment of segmentsOf(prefix)) {
    let child = node.children.get(segment);
    if (child === undefined) node.children.set(segment, (child = newNode()));
    node = child;
  }
  if (node.owner !== null) throw new Error(`Both ${node.owner.name} and ${owner.name} claim ${prefix}.`);
  node.owner = owner;
  node.isOpen = isOpen;
}

/** Nobody may have a prefix within what is another's alone (`within`). */
function refuseNested<O extends Claims>(node: Node<O>, within: O | null, path: string): void {
  if (within !== null && node.owner !== null && node.owner !== within)
    throw new Error(`${node.owner.name} claims ${path}, which is within what ${within.name} claims.`);
  const alone = node.owner !== null && !node.isOpen ? node.owner : within;
  for (const [segment, child] of node.children) refuseNested(child, alone, `${path}/${segment}`);
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
