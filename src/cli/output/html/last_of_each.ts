/**
 * Orders records by a number; of those with the same number, as when a resumed run repeats an epoch, the last
 * counts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { lastOfEach } from "./last_of_each.ts";
 *
 * const records = [{ step: 9, loss: 2 }, { step: 3, loss: 5 }, { step: 9, loss: 1 }];
 * assertEquals(lastOfEach(records, ({ step }) => step), [{ step: 3, loss: 5 }, { step: 9, loss: 1 }]);
 * ```
 */
export function lastOfEach<R>(records: readonly R[], number: (record: R) => number): R[] {
  return [...new Map(records.map((record) => [number(record), record])).values()]
    .sort((a, b) => number(a) - number(b));
}
