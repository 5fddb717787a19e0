/** Resources that keep a process alive and that a test opens on purpose; others belong to node or to jest. */
const COUNTED = new Set([
  'TCPServerWrap',
  'TCPSocketWrap',
  'TLSWrap',
  'UDPWrap',
  'PipeServerWrap',
  'ProcessWrap',
  'Timeout',
  'FSEventWrap',
  'StatWatcher',
  'Worker',
]);

/** How many of each kind of resource keep the process alive now. */
export function resourceCounts(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (COUNTED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** What is there now and wasn't before, as text; null when nothing is. */
export function describeLeaks(before: ReadonlyMap<string, number>): string | null {
  const leaks: string[] = [];
  for (const [kind, count] of resourceCounts()) {
    const added = count - (before.get(kind) ?? 0);
    if (added > 0) leaks.push(`${added} × ${kind}`);
  }
  return leaks.length === 0 ? null : leaks.join(', ');
}
