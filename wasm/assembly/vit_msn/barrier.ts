/** A barrier that the threads of a run share. */
@unmanaged
export class Barrier {
  /** How many threads have arrived. */
  arrived: i32;
  /** How often all have arrived. */
  round: i32;
  /** Not 0 where a thread is lost and waiting is of no use; the host writes it. */
  isBroken: i32;
}

/** How often a thread looks before it sleeps. */
const LOOKS: i32 = 2000;
/** How long it sleeps at most before it looks again, in nanoseconds. */
const NAP: i64 = 50_000_000;

/**
 * Waits until all `threads` threads are here.
 *
 * @returns whether all have arrived; false if the barrier is broken.
 */
export function arriveAndWait(barrier: Barrier, threads: i32): bool {
  if (threads == 1) return true;
  const arrived = changetype<usize>(barrier) + offsetof<Barrier>("arrived");
  const round = changetype<usize>(barrier) + offsetof<Barrier>("round");
  const isBroken = changetype<usize>(barrier) + offsetof<Barrier>("isBroken");
  const now = atomic.load<i32>(round);
  if (atomic.add<i32>(arrived, 1) == threads - 1) {
    atomic.store<i32>(arrived, 0);
    atomic.add<i32>(round, 1);
    atomic.notify(round, threads);
    return true;
  }
  for (let look = 0; atomic.load<i32>(round) == now; look++) {
    if (atomic.load<i32>(isBroken)) return false;
    if (look >= LOOKS) atomic.wait<i32>(round, now, NAP);
  }
  return true;
}
