import { Strip, Tile } from "../../../src/train/engine/structs.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";
import { GUARD } from "../instance.ts";
import { assertClose, integer, numbers, padded } from "../numbers.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";
import { type Matrix, matrix, times, transposed } from "./matrices.ts";

/** One head: queries and gradients of the context [rows][size], keys and values [tokens][size]. */
interface Head {
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
  readonly dContext: Matrix;
}

for (const build of TRAIN_BUILDS) {
  for (const size of [1, 5, 8, 12, 64]) {
    Deno.test(`${build} kernels: attentionBackward() of heads of ${size} adds, and changes nothing else`, () => {
      const random = uniform(37 + size);
      const shapes = [[1, 1], [1, 40], [100, 7], [101, 101], [130, 65], [61, 130], [205, 33]];
      for (let i = 0; i < 25; i++) {
        const [rows, tokens] = shapes[i] ?? [integer(random, 1, 40), integer(random, 1, 40)];
        const of = (count: number) => matrix(numbers(random, count * size), count);
        const head = { q: of(rows!), k: of(tokens!), v: of(tokens!), dContext: of(rows!) };
        const dK = numbers(random, tokens! * size), dV = numbers(random, tokens! * size);
        const actual = attentionBackward(new TrainInstance(build), head, dK, dV);
        const expected = reference(head);
        const message = `${rows} rows, ${tokens} tokens`;
        assertClose(actual.dQ, expected.dQ, 2e-5, `dQ, ${message}`);
        assertClose(actual.dK, expected.dK.map((x, j) => x + dK[j]!), 2e-5, `dK, ${message}`);
        assertClose(actual.dV, expected.dV.map((x, j) => x + dV[j]!), 2e-5, `dV, ${message}`);
      }
    });
  }

  Deno.test(`${build} kernels: attentionBackward() is what PyTorch computes`, () => {
    const ops = readGolden("train/ops/expected.safetensors");
    for (let h = 0; h < 2; h++) {
      const of = (name: string) => {
        const { data, shape } = ops.get(`attention.${name}`) as Tensor<"float32">;
        const [, tokens, size] = shape as [number, number, number];
        return matrix(data.slice(h * tokens * size, (h + 1) * tokens * size), tokens);
      };
      const head = { q: of("q"), k: of("k"), v: of("v"), dContext: of("dy") };
      const none = new Float32Array(head.k.data.length);
      const { dQ, dK, dV } = attentionBackward(new TrainInstance(build), head, none, none);
      assertClose(dQ, of("d_q").data, 1e-6, "dQ");
      assertClose(dK, of("d_k").data, 1e-6, "dK");
      assertClose(dV, of("d_v").data, 1e-6, "dV");
      const expected = reference(head);
      assertClose(Float32Array.from(expected.dQ), of("d_q").data, 1e-6, "the reference's dQ");
      assertClose(Float32Array.from(expected.dK), of("d_k").data, 1e-6, "the reference's dK");
    }
  });
}

/** The gradients, added to dK and dV. */
function attentionBackward(
  instance: TrainInstance,
  { q, k, v, dContext }: Head,
  dK: Float32Array,
  dV: Float32Array,
): { dQ: Float32Array; dK: Float32Array; dV: Float32Array } {
  const { arena } = instance;
  const size = q.columns, tokens = k.rows, rows = q.rows;
  const paddedSize = padded(size, Tile.PANEL), paddedTokens = padded(tokens, Tile.PANEL);
  const stride = 4 * paddedSize + 4;
  // Behind a head's channels is another head, or zeros.
  const put = ({ data, rows }: Matrix) => {
    const place = instance.poisoned((rows + Tile.ROWS_PAST) * stride);
    for (let row = 0; row < rows; row++) {
      const all = arena.floats(place + row * stride, paddedSize).fill(GUARD);
      for (let i = 0; i < size; i++) all[i] = data[row * size + i]!;
    }
    return place;
  };
  const dQueries = instance.guarded(rows * stride);
  const dKeys = instance.guardedRows(dK, size, stride);
  const dValues = instance.guardedRows(dV, size, stride);
  const scratch = instance.putScratch(tokens);
  const panels = (depth: number) => arena.reserve(4 * paddedSize * depth);
  const head = instance.putStruct("HeadGradient", {
    queries: put(q),
    keys: put(k),
    values: put(v),
    stride,
    rows,
    tokens,
    size,
    paddedSize,
    scale: size ** -0.5,
    dContext: put(dContext),
    dQueries,
    dKeys,
    dValues,
    keyRows: panels(paddedTokens),
    valueRows: panels(paddedTokens),
    keyColumns: panels(tokens),
    queryColumns: panels(Strip.ROWS),
    dContextColumns: panels(Strip.ROWS),
    dScores: instance.poisoned((Strip.ROWS + Tile.ROWS_PAST) * (4 * paddedTokens + 4)),
    spare: instance.poisoned(128),
  });
  instance.kernels.attentionBackward(head, scratch);
  const take = (place: number, count: number, written: number) => {
    const all = instance.take(place, count * stride / 4);
    const isPast = (i: number) => i % (paddedSize + 1) >= written;
    const past = all.filter((_, i) => isPast(i));
    assertClose(past, new Float32Array(past.length).fill(GUARD), 0, "past");
    return all.filter((_, i) => i % (paddedSize + 1) < size);
  };
  return {
    dQ: take(dQueries, rows, paddedSize),
    dK: take(dKeys, tokens, size),
    dV: take(dValues, tokens, size),
  };
}

/** In double precision. */
function reference({ q, k, v, dContext }: Head) {
  const scale = q.columns ** -0.5;
  const scores = times(q, transposed(k));
  const p = { ...scores, data: new Float64Array(scores.data.length) };
  const dP = times(dContext, transposed(v)).data;
  const dS = { ...scores, data: new Float64Array(scores.data.length) };
  const T = k.rows;
  for (let row = 0; row < q.rows; row++) {
    const at = row * T;
    const numerators = scores.data.slice(at, at + T).map((s) => Math.exp(s * scale));
    const sum = numerators.reduce((a, b) => a + b);
    let dot = 0;
    for (let t = 0; t < T; t++) {
      p.data[at + t] = numerators[t]! / sum;
      dot += p.data[at + t]! * dP[at + t]!;
    }
    for (let t = 0; t < T; t++) dS.data[at + t] = scale * p.data[at + t]! * (dP[at + t]! - dot);
  }
  return {
    dQ: times(dS, k).data,
    dK: times(transposed(dS), q).data,
    dV: times(transposed(p), dContext).data,
  };
}
