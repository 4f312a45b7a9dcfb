import { Head } from "../kernels/attention";
import { Scratch } from "../kernels/scratch";
import { Target } from "../kernels/target";

/** One thread of a run, and its private memory. */
@unmanaged
export class Thread {
  /** 0 to count - 1 */
  index: i32;
  /** The number of threads in the run. */
  count: i32;
  scratch: Scratch;
  /** The host writes `headSize` and `activation`, the forward all other fields. */
  target: Target;
  /** The host writes sizes, strides and the scale, the forward all other fields. */
  head: Head;
}

/** The first row of a thread's share of the tokens. */
export function shareOf(index: i32, count: i32, tokens: i32): i32 {
  return <i32>(<i64>tokens * index / count);
}

/** Divides `rows` rows into blocks of about equal size, at most `most`; returns that size. */
export function blockSize(rows: i32, most: i32): i32 {
  if (rows == 0) return most;
  const blocks = (rows + most - 1) / most;
  return (rows + blocks - 1) / blocks;
}
