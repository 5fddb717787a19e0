import { eventually } from './eventually.ts';

/** What a test must not leave behind: sockets, listeners and name servers' channels. Timers are the clock's to count. */
const watched = ['TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'TLSWrap', 'UDPWrap'] as const;

/**
 * Remembers what the process holds open now, and gives a function that waits until there is no more of it than that.
 *
 * @example
 * const checkLeaks = startLeakCheck();
 * afterAll(checkLeaks);
 */
export function startLeakCheck(): () => Promise<void> {
  const before = countOpen();
  return () =>
    eventually(
      () => {
        const leaked = watched.filter((kind) => countOpen()[kind] > before[kind]);
        if (leaked.length > 0) throw new Error(`left open: ${leaked.join(', ')}`);
      },
      { message: 'Everything being closed' },
    );
}

function countOpen(): Record<(typeof watched)[number], number> {
  const open = process.getActiveResourcesInfo();
  const count = (kind: string): number => open.filter((resource) => resource === kind).length;
  return {
    TCPSocketWrap: count('TCPSocketWrap'),
    TCPServerWrap: count('TCPServerWrap'),
    PipeWrap: count('PipeWrap'),
    TLSWrap: count('TLSWrap'),
    UDPWrap: count('UDPWrap'),
  };
}
