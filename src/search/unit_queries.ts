import { l2Normalize } from "../tensor/l2_normalize.ts";

/**
 * Checks the queries of a search and scales them to length 1.
 *
 * @throws {RangeError} if `k` is no number of neighbours, or a query no vector of the index's dimension.
 */
export function unitQueries(
  queries: readonly Float32Array[],
  k: number,
  dimension: number,
): Float32Array[] {
  if (!(Number.isSafeInteger(k) && k >= 1)) {
    throw new RangeError(`Cannot search: k is ${k}; give an integer from 1 on`);
  }
  return queries.map((query) => {
    if (query.length !== dimension) {
      throw new RangeError(
        `Cannot search: the query has ${query.length} numbers, the vectors ${dimension}`,
      );
    }
    if (!query.every(Number.isFinite)) {
      throw new RangeError("Cannot search: a query has numbers that are not finite");
    }
    return l2Normalize(query);
  });
}
