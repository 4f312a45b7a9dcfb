/** A barrier for the threads of a run. */
@unmanaged
export class Barrier {
  /** Threads that have arrived in this round. */
  arrived: i32;
  /** Completed rounds. */
  round: i32;
  /** 1 once a thread is lost; the host sets it. */
  isBroken: i32;
}

/** Spins before a thread sleeps. */
const SPINS: i32 = 2000;
/** The longest sleep in nanoseconds; then the thread checks `isBroken` again. */
const MAX_SLEEP: i64 = 50_000_000;

/**
 * Waits until all `threads` threads have arrived.
 *
 * @returns false if the barrier is broken.
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
  for (let spin = 0; atomic.load<i32>(round) == now; spin++) {
    if (atomic.load<i32>(isBroken)) return false;
    if (spin >= SPINS) atomic.wait<i32>(round, now, MAX_SLEEP);
  }
  return true;
}
