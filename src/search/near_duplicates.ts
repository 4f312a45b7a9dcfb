import type { Neighbour, PairOptions, VectorIndex } from "./vector_index.ts";

/** Images that look alike: the first one, and those similar to it, the most similar first. */
export type DuplicateGroup = readonly Neighbour[];

/**
 * Groups the images of an index that look alike. The image with the most similar ones begins a group of all of
 * them; then the next of those that are left. So each image of a group is similar to its first one, and long
 * chains of images, each a little different from the one before, are no group.
 *
 * @param threshold the least similarity. Images of the same bytes are always in a group.
 * @returns the groups, the largest first; images that look like no other are in none.
 */
export async function nearDuplicates(
  index: VectorIndex,
  threshold: number,
  { onProgress }: Pick<PairOptions, "onProgress"> = {},
): Promise<DuplicateGroup[]> {
  const similar = new Map<number, Map<number, number>>();
  const add = (a: number, b: number, similarity: number) => {
    const others = similar.get(a);
    if (others) others.set(b, similarity);
    else similar.set(a, new Map([[b, similarity]]));
  };
  const contents = await index.pairs(threshold, {
    onPair(a, b, similarity) {
      add(a, b, similarity);
      add(b, a, similarity);
    },
    onProgress,
  });
  const isGrouped = new Set<number>();
  const groups: Neighbour[][] = [];
  const pathOf = (n: number) => contents[n]?.[0]?.path ?? "";
  const byDegree = [...contents.keys()]
    .map((n) => ({ n, path: pathOf(n), count: similar.get(n)?.size ?? 0 }))
    .sort((a, b) => b.count - a.count || (a.path < b.path ? -1 : 1));
  for (const { n } of byDegree) {
    if (isGrouped.has(n)) continue;
    isGrouped.add(n);
    const others = [...similar.get(n) ?? []].filter(([other]) => !isGrouped.has(other))
      .sort(([a, first], [b, second]) => second - first || (pathOf(a) < pathOf(b) ? -1 : 1));
    for (const [other] of others) isGrouped.add(other);
    const group = [
      ...contents[n]!,
      ...others.flatMap(([other, similarity]) =>
        contents[other]!.map((image) => ({ ...image, similarity }))
      ),
    ];
    if (group.length > 1) groups.push(group);
  }
  return groups.sort((a, b) => b.length - a.length);
}
