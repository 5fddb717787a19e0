/**
 * Self time out of a V8 CPU profile (`node --cpu-prof`): by function, by file and by package. Native functions have no
 * file, so they are told apart by the function that called them.
 */
import { readFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** The format of `Profiler.stop` in the Chrome DevTools protocol; microseconds. */
interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  readonly ms: number;
  /** Of the time in which the thread wasn't idle. */
  readonly share: number;
}

export interface ProfileSummary {
  readonly busyMs: number;
  readonly idleMs: number;
  readonly functions: readonly SelfTime[];
  readonly files: readonly SelfTime[];
  readonly packages: readonly SelfTime[];
}

/** The part of a profile that counts, on the monotonic clock. */
export interface ProfileWindow {
  readonly fromMicros: number;
  readonly toMicros: number;
}

/** Largest first. Without a window, the whole profile. */
export function summarizeProfile(file: string, window?: ProfileWindow): ProfileSummary {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const { fromMicros, toMicros } = window ?? { fromMicros: 0, toMicros: Infinity };

  const microsOf = new Map<number, number>();
  let at = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    at += profile.timeDeltas[index] ?? 0;
    // A sample stands for the time until the next one.
    const length = profile.timeDeltas[index + 1] ?? 0;
    if (at >= fromMicros && at < toMicros) microsOf.set(id, (microsOf.get(id) ?? 0) + length);
  }

  const callerOf = new Map<number, ProfileNode>();
  for (const node of profile.nodes) for (const child of node.children ?? []) callerOf.set(child, node);

  const tallies = { functions: createTally(), files: createTally(), packages: createTally() };
  let busy = 0;
  let idle = 0;
  for (const node of profile.nodes) {
    const micros = microsOf.get(node.id) ?? 0;
    if (node.callFrame.functionName === '(idle)') {
      idle += micros;
      continue;
    }
    busy += micros;
    const place = placeOf(node, callerOf);
    tallies.functions.add(place.function, micros);
    tallies.files.add(place.file, micros);
    tallies.packages.add(place.package, micros);
  }
  return {
    busyMs: busy / 1_000,
    idleMs: idle / 1_000,
    functions: tallies.functions.sorted(busy),
    files: tallies.files.sorted(busy),
    packages: tallies.packages.sorted(busy),
  };
}

function placeOf(
  node: ProfileNode,
  callerOf: ReadonlyMap<number, ProfileNode>,
): { function: string; file: string; package: string } {
  const { functionName, url, lineNumber } = node.callFrame;
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url !== '') {
    const file = fileOf(url);
    return { function: `${name}  ${file}:${lineNumber + 1}`, file, package: packageOf(file) };
  }
  // (garbage collector), (program) and the like.
  if (name.startsWith('(') && name !== '(anonymous)') return { function: name, file: name, package: name };
  const caller = callerOf.get(node.id);
  const from =
    caller === undefined
      ? ''
      : `, from ${caller.callFrame.functionName || '(anonymous)'}  ${fileOf(caller.callFrame.url)}`;
  return { function: `${name} (native${from})`, file: '(native)', package: '(native)' };
}

const repository = dirname(import.meta.dirname);

function fileOf(url: string): string {
  return url.startsWith('file://') ? relative(repository, fileURLToPath(url)) : url;
}

/** `node_modules/name`, `apps/name`, `libs/name`, or `node` for what is built in. */
function packageOf(file: string): string {
  if (file.startsWith('node:')) return 'node';
  const [, dependency] = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file) ?? [];
  return dependency !== undefined ? `node_modules/${dependency}` : file.split('/').slice(0, 2).join('/');
}

interface Tally {
  add(name: string, micros: number): void;
  sorted(total: number): SelfTime[];
}

function createTally(): Tally {
  const micros = new Map<string, number>();
  return {
    add(name, more) {
      micros.set(name, (micros.get(name) ?? 0) + more);
    },
    sorted: (total) =>
      [...micros]
        .filter(([, each]) => each > 0)
        .sort(([, a], [, b]) => b - a)
        .map(([name, each]) => ({ name, ms: each / 1_000, share: each / total })),
  };
}

/** As text, so many lines of each list. */
export function describeProfile(summary: ProfileSummary, lines: number): string {
  const list = (title: string, entries: readonly SelfTime[]): string[] => [
    '',
    `self time by ${title}`,
    ...entries
      .slice(0, lines)
      .map(
        ({ name, ms, share }) =>
          `${(share * 100).toFixed(1).padStart(6)} %${ms.toFixed(0).padStart(8)} ms  ${name}`,
      ),
  ];
  const { busyMs, idleMs, functions, files, packages } = summary;
  return [
    `busy ${(busyMs / 1_000).toFixed(2)} s, idle ${(idleMs / 1_000).toFixed(2)} s (main thread; shares are of the busy time)`,
    ...list('package', packages),
    ...list('file', files),
    ...list('function', functions),
  ].join('\n');
}
