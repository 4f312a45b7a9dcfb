/** What the threads of a run share. */
@unmanaged
export class Meeting {
  /** How many have arrived. */
  arrived: i32;
  /** How often all have met. */
  round: i32;
  /** Not 0 if somebody is lost, and waiting has no use. */
  isOff: i32;
}

/** How often a thread looks before it sleeps. */
const LOOKS: i32 = 2000;
/** How long it sleeps at most before it looks again, in nanoseconds. */
const NAP: i64 = 50_000_000;

/**
 * Waits until all threads are here.
 *
 * @returns whether all have come; if not, the work is off.
 */
export function meet(meeting: usize, threads: i32): bool {
  if (threads == 1) return true;
  const round = meeting + offsetof<Meeting>("round");
  const isOff = meeting + offsetof<Meeting>("isOff");
  const now = atomic.load<i32>(round);
  if (atomic.add<i32>(meeting, 1) == threads - 1) {
    atomic.store<i32>(meeting, 0);
    atomic.add<i32>(round, 1);
    atomic.notify(round, threads);
    return true;
  }
  for (let look = 0; atomic.load<i32>(round) == now; look++) {
    if (atomic.load<i32>(isOff)) return false;
    if (look >= LOOKS) atomic.wait<i32>(round, now, NAP);
  }
  return true;
}
