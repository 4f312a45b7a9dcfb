import { assert, assertEquals } from "@std/assert";
import { Tile } from "../../../src/runtime/simd/structs.ts";
import { putStruct } from "../../../src/runtime/simd/write_struct.ts";
import { softmax } from "../../../src/tensor/softmax.ts";
import { uniform } from "../../random.ts";
import { BUILDS, GUARD, Instance, putScratch } from "../instance.ts";
import {
  assertClose,
  assertSameBits,
  integer,
  numbers,
  padded,
  type Random,
  sumOf,
} from "../numbers.ts";

for (const build of BUILDS) {
  Deno.test(`${build} kernels: attention() is softmax(q kᵀ · scale) v, with and without probabilities`, () => {
    const instance = new Instance(build);
    const random = uniform(12);
    for (let trial = 0; trial < 40; trial++) {
      const inputs = randomHead(random, integer(random, 1, 70), Tile.PANEL * integer(random, 1, 5));
      const { context, probabilities } = attention(instance, inputs, true);
      const expected = attentionReference(inputs);
      const message = `${inputs.rows} of ${inputs.tokens}, ${inputs.headSize}`;
      assertClose(context, expected.context, 1e-5, message);
      assertClose(probabilities!, expected.probabilities, 1e-5, message);
      for (let row = 0; row < inputs.rows; row++) {
        const share = probabilities!.subarray(row * inputs.tokens, (row + 1) * inputs.tokens);
        assertClose(Float32Array.of(sumOf(share)), [1], 1e-6, message);
      }
      assertSameBits(attention(instance, inputs, false).context, context);
    }
  });

  Deno.test(`${build} kernels: attentionI8() is the same to a few bits less`, () => {
    const instance = new Instance(build);
    const random = uniform(16);
    for (let trial = 0; trial < 40; trial++) {
      const inputs = randomHead(
        random,
        integer(random, 1, 130),
        Tile.PANEL * integer(random, 1, 9),
      );
      const rows = integer(random, 1, 90);
      const queries = numbers(random, rows * inputs.headSize);
      const head = { ...inputs, rows, queries, scale: inputs.headSize ** -0.5 };
      const { context, probabilities } = attention(instance, head, true, "attentionI8");
      const expected = attentionReference(head);
      const message = `${rows} of ${head.tokens}, ${head.headSize}`;
      // Of numbers from -1 to 1: values are off by 1/254, numerators by 1/254 of the largest.
      assertClose(context, expected.context, 0.02, message);
      assertClose(probabilities!, expected.probabilities, 0.02, message);
      for (let row = 0; row < rows; row++) {
        const share = probabilities!.subarray(row * head.tokens, (row + 1) * head.tokens);
        assertClose(Float32Array.of(sumOf(share)), [1], 1e-6, message);
      }
      assertSameBits(attention(instance, head, false, "attentionI8").context, context);
    }
  });

  Deno.test(`${build} kernels: attentionI8() has the softmax of its scores within 5e-6`, () => {
    const instance = new Instance(build);
    const random = uniform(19);
    const tokens = 50, headSize = 8;
    // Whole numbers with the largest of 8 and 7 bits, so that nothing is rounded.
    const scores = Array.from({ length: tokens }, () => integer(random, -63, 63));
    const head = {
      rows: 1,
      tokens,
      headSize,
      queries: Float32Array.of(127, 0, 0, 0, 0, 0, 0, 0),
      keys: Float32Array.from(scores.flatMap((score) => [score, 63, 0, 0, 0, 0, 0, 0])),
      values: numbers(random, tokens * headSize),
    };
    for (const scale of [1e-5, 1e-4, 1e-3]) {
      const given = { ...head, scale: Math.fround(scale) };
      const { probabilities } = attention(instance, given, true, "attentionI8");
      attentionReference(given).probabilities.forEach((p, i) => {
        assert(Math.abs(probabilities![i]! / p - 1) < 5e-6, `${probabilities![i]} instead of ${p}`);
      });
    }
  });

  Deno.test(`${build} kernels: attentionI8() is as exact where keys and values have much in common`, () => {
    const instance = new Instance(build);
    const random = uniform(20);
    for (const tokens of [1, 7, 8, 50]) {
      const headSize = 24;
      const head = { ...randomHead(random, tokens, headSize), scale: 0.2 };
      const common = numbers(random, headSize, 30);
      const shifted = (rows: Float32Array) => rows.map((v, i) => v + common[i % headSize]!);
      const given = { ...head, keys: shifted(head.keys), values: shifted(head.values) };
      const { context } = attention(instance, given, false, "attentionI8");
      const rest = context.map((v, i) => v - common[i % headSize]!);
      assertClose(rest, attentionReference(head).context, 0.02, `${tokens} tokens`);
    }
  });

  Deno.test(`${build} kernels: attentionI8() gives a row of each head its own scale`, () => {
    const instance = new Instance(build);
    const head = randomHead(uniform(17), 21, 8);
    const { context } = attention(instance, head, false, "attentionI8");
    // Queries and keys of other sizes have other scales, but the same 8-bit numbers.
    const larger = {
      ...head,
      queries: head.queries.map((v) => 4 * v),
      keys: head.keys.map((v) => v / 4),
      values: head.values.map((v) => 2 * v),
    };
    const doubled = attention(instance, larger, false, "attentionI8").context;
    assertEquals(doubled, context.map((v) => 2 * v));
  });

  Deno.test(`${build} kernels: attention() keeps a query's NaN to its row`, () => {
    const instance = new Instance(build);
    const inputs = randomHead(uniform(13), 19, 16);
    for (let i = 0; i < 2 * inputs.rows; i++) {
      const row = i >> 1, kernel = i % 2 ? "attention" : "attentionI8";
      const good = attention(instance, inputs, true, kernel);
      const queries = inputs.queries.with(row * 16 + row % 16, NaN);
      const actual = attention(instance, { ...inputs, queries }, true, kernel);
      good.context.fill(NaN, row * 16, (row + 1) * 16);
      good.probabilities!.fill(NaN, row * 19, (row + 1) * 19);
      assertEquals(actual, good);
    }
  });
}

Deno.test("kernels: attentionI8() gives the same bits on all builds", () => {
  const head = randomHead(uniform(18), 100, 32);
  const [first, ...others] = BUILDS.map((build) =>
    attention(new Instance(build), head, false, "attentionI8").context
  );
  for (const other of others) assertSameBits(other, first!);
});

Deno.test("plain kernels: attention() gives the same bits every time, wherever things lie", () => {
  const results = [0, 1, 2].map((skipped) => {
    const instance = new Instance("plain");
    instance.poisoned(1000 * skipped);
    return attention(instance, randomHead(uniform(15), 45, 24), true);
  });
  for (const { context, probabilities } of results) {
    assertSameBits(context, results[0]!.context);
    assertSameBits(probabilities!, results[0]!.probabilities!);
  }
});

/** What one head sees. */
interface Head {
  readonly rows: number;
  readonly tokens: number;
  readonly headSize: number;
  readonly scale: number;
  /** [rows][headSize] */
  readonly queries: Float32Array;
  /** [tokens][headSize] */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

function randomHead(random: Random, tokens: number, headSize: number): Head {
  const rows = integer(random, 1, 20);
  return {
    rows,
    tokens,
    headSize,
    scale: Math.fround(3 * random()),
    queries: numbers(random, rows * headSize),
    keys: numbers(random, tokens * headSize),
    values: numbers(random, tokens * headSize),
  };
}

/** A head's context [rows][headSize], and the probabilities [rows][tokens] if they are wanted. */
function attention(
  instance: Instance,
  head: Head,
  isSeen: boolean,
  kernel: "attention" | "attentionI8" = "attention",
) {
  const { kernels, arena } = instance;
  const { rows, tokens, headSize, scale } = head;
  const paddedTokens = padded(tokens, Tile.PANEL);
  // What fills up the panels of tokens stays NaN.
  const keys = instance.poisoned(4 * paddedTokens * headSize);
  const values = instance.poisoned(4 * paddedTokens * headSize);
  for (let token = 0; token < tokens; token++) {
    for (let channel = 0; channel < headSize; channel++) {
      const i = token * headSize + channel;
      const tokenPanel = Math.floor(token / Tile.PANEL),
        channelPanel = Math.floor(channel / Tile.PANEL);
      const key = (tokenPanel * headSize + channel) * Tile.PANEL + token % Tile.PANEL;
      const value = (channelPanel * paddedTokens + token) * Tile.PANEL + channel % Tile.PANEL;
      arena.floats(keys + 4 * key, 1)[0] = head.keys[i]!;
      arena.floats(values + 4 * value, 1)[0] = head.values[i]!;
    }
  }
  const stride = 4 * headSize + 4, outStride = 4 * headSize + 12;
  const queries = instance.putRows(head.queries, headSize, stride);
  const length = rows * outStride / 4;
  const out = instance.guarded(4 * length);
  const seen = instance.guarded(4 * rows * tokens);
  const place = putStruct(arena, "Head", {
    queries,
    queryStride: stride,
    rows,
    keys,
    values,
    tokens,
    headSize,
    scale,
    out,
    outStride,
    probabilities: isSeen ? seen : 0,
  });
  kernels[kernel](place, putScratch(instance, rows, headSize, tokens));
  const all = instance.take(out, length);
  const context = new Float32Array(rows * headSize);
  for (let row = 0; row < rows; row++) {
    const numbers = all.subarray(row * outStride / 4, (row + 1) * outStride / 4);
    context.set(numbers.subarray(0, headSize), row * headSize);
    assertEquals(numbers.subarray(headSize), new Float32Array(3).fill(GUARD));
  }
  return { context, probabilities: isSeen ? instance.take(seen, rows * tokens) : undefined };
}

function attentionReference({ rows, tokens, headSize, scale, queries, keys, values }: Head) {
  const context = new Float64Array(rows * headSize);
  const probabilities = new Float64Array(rows * tokens);
  for (let row = 0; row < rows; row++) {
    const query = queries.subarray(row * headSize, (row + 1) * headSize);
    const scores = Array.from({ length: tokens }, (_, token) => {
      const key = keys.subarray(token * headSize, (token + 1) * headSize);
      return scale * query.reduce((sum, v, i) => sum + v * key[i]!, 0);
    });
    const shares = softmax(scores);
    probabilities.set(shares, row * tokens);
    shares.forEach((share, token) => {
      for (let channel = 0; channel < headSize; channel++) {
        context[row * headSize + channel]! += share * values[token * headSize + channel]!;
      }
    });
  }
  return { context, probabilities };
}
