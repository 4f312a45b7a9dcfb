import { assertThrows } from "@std/assert";
import { type AttributeValue, GraphBuilder } from "../../src/onnx/graph_builder.ts";
import {
  GraphBounds,
  MAX_CONSTANT_ELEMENTS,
  MAX_IMAGE_ELEMENTS,
} from "../../src/onnx/graph_bounds.ts";

/** What a graph makes of an image, and of constants. */
type Build = (graph: GraphBuilder, image: string) => string;

function bounds(build: Build, size: readonly (number | string)[] = [1, 3, 8, 8]): GraphBounds {
  const graph = new GraphBuilder("hostile");
  const image = graph.input("pixel_values", "float32", size);
  graph.output("logits", "float32", [1, 1], build(graph, image));
  return new GraphBounds({
    graph: graph.build(),
    opsetImport: [{ domain: "", version: 17 }],
  });
}

/** A node whose values nobody else may choose. */
function node(
  opType: string,
  ...operands: readonly (readonly number[] | Readonly<Record<string, AttributeValue>>)[]
): Build {
  return (graph) => {
    const inputs = operands.flatMap((operand) =>
      Array.isArray(operand) ? [graph.ints(operand)] : []
    );
    const attributes = operands.find((operand) => !Array.isArray(operand)) ?? {};
    return graph.node(opType, inputs, attributes as Record<string, AttributeValue>);
  };
}

const floats = (graph: GraphBuilder, name: string, shape: number[], ...data: number[]) =>
  graph.initializer(name, { dtype: "float32", shape, data: Float32Array.from(data) });

Deno.test("a graph may make so many constant numbers, and not one more", () => {
  // A weight counts four times: the shape's one number.
  const most = MAX_CONSTANT_ELEMENTS + 4;
  bounds(node("ConstantOfShape", [most]));
  assertThrows(
    () => bounds(node("ConstantOfShape", [most + 1])),
    SyntaxError,
    `ConstantOfShape "ConstantOfShape_0" is refused: with [${most + 1}], the graph has more than`,
  );
});

Deno.test("a graph may hold so many numbers for an image, and not one more", () => {
  const negative: Build = (graph, image) => graph.node("Neg", [image]);
  bounds(negative, [1, 1, 1, MAX_IMAGE_ELEMENTS / 2]);
  assertThrows(
    () => bounds(negative, [1, 1, 1, MAX_IMAGE_ELEMENTS / 2 + 1]),
    SyntaxError,
    "the graph has more than 134217728 live elements",
  );
  // What is not read any more does not count; a batch has as much for each image.
  const chain: Build = (graph, image) =>
    Array.from({ length: 20 }).reduce<string>((x) => graph.node("Neg", [x]), image);
  const batches = bounds(chain, ["batch", 1, 1, "width"]);
  batches.check(new Map([["pixel_values", [7, 1, 1, MAX_IMAGE_ELEMENTS / 2]]]));
  assertThrows(
    () => batches.check(new Map([["pixel_values", [7, 1, 1, MAX_IMAGE_ELEMENTS / 2 + 1]]])),
    SyntaxError,
  );
});

const huge = [20_000, 20_000];
const one = (graph: GraphBuilder) => floats(graph, "one", [1, 1], 1);
const column = (graph: GraphBuilder) => graph.node("ConstantOfShape", [graph.ints([20_000, 1])]);
const row = (graph: GraphBuilder) => graph.node("ConstantOfShape", [graph.ints([1, 20_000])]);

const HOSTILE: Readonly<Record<string, Build>> = {
  "ConstantOfShape": node("ConstantOfShape", huge),
  "ConstantOfShape of a computed shape": (graph) => {
    const half = graph.node("Mul", [graph.ints([200, 200]), graph.ints([50, 50])]);
    return graph.node("ConstantOfShape", [graph.node("Add", [half, graph.ints([10_000, 10_000])])]);
  },
  "ConstantOfShape of fractions": (graph) => {
    const fraction = graph.node("Div", [floats(graph, "a", [1], 1), floats(graph, "b", [1], 4)]);
    const size = graph.node("Mul", [fraction, floats(graph, "c", [1], 2e9)]);
    return graph.node("ConstantOfShape", [graph.node("Cast", [size], { to: 7 })]);
  },
  "ConstantOfShape of the image's size": (graph, image) =>
    graph.node("ConstantOfShape", [
      graph.node("Mul", [graph.node("Shape", [image]), graph.ints([1, 3000, 30, 30])]),
    ]),
  "ConstantOfShape of numbers that wrap around": (graph) => {
    const large = graph.node("Mul", [graph.ints([2 ** 52]), graph.ints([2 ** 20])]);
    return graph.node("ConstantOfShape", [graph.node("Sub", [large, large])]);
  },
  "ConstantOfShape of rounded numbers": (graph) => {
    const sum = graph.node("Add", [floats(graph, "a", [1], 1e8), floats(graph, "b", [1], 1)]);
    const lost = graph.node("Sub", [sum, graph.node("Identity", ["a"])]);
    const size = graph.node("Mul", [
      graph.node("Sub", [graph.scalar(1), lost]),
      floats(graph, "c", [1], 1e9),
    ]);
    return graph.node("ConstantOfShape", [graph.node("Cast", [size], { to: 7 })]);
  },
  "ConstantOfShape of pixels": (graph, image) =>
    graph.node("ConstantOfShape", [
      graph.node("Cast", [graph.node("ReduceMax", [image], { keepdims: 0 })], { to: 7 }),
    ]),
  "Expand": (graph) => graph.node("Expand", [one(graph), graph.ints(huge)]),
  "Expand of pixels": (graph, image) =>
    graph.node("Expand", [image, graph.ints([1_000_000, 3, 8, 8])]),
  "Tile": (graph) => graph.node("Tile", [one(graph), graph.ints(huge)]),
  "Tile of tiles": (graph) =>
    Array.from({ length: 10 }).reduce<string>(
      (x) => graph.node("Tile", [x, graph.ints([4, 4])]),
      one(graph),
    ),
  "Range": (graph) =>
    graph.node("Range", ["0", "400000000", "1"].map((x) => graph.scalar(Number(x)))),
  "Pad": (graph) => graph.node("Pad", [one(graph), graph.ints([0, 0, 20_000, 20_000])]),
  "Resize to a size": (graph) =>
    graph.node("Resize", [
      floats(graph, "x", [1, 1, 1, 1], 1),
      "",
      "",
      graph.ints([1, 1, ...huge]),
    ]),
  "Resize by a scale": (graph) =>
    graph.node("Resize", [
      floats(graph, "x", [1, 1, 1, 1], 1),
      "",
      floats(graph, "scales", [4], 1, 1, ...huge),
    ]),
  "Concat, over and over": (graph) =>
    Array.from({ length: 30 }).reduce<string>(
      (x) => graph.node("Concat", [x, x], { axis: 0 }),
      one(graph),
    ),
  "Concat of pixels, over and over": (graph, image) =>
    Array.from({ length: 30 }).reduce<string>(
      (x) => graph.node("Concat", [x, x], { axis: 0 }),
      image,
    ),
  "a sum of a row and a column": (graph) => graph.node("Add", [row(graph), column(graph)]),
  "a product of a column and a row": (graph) => graph.node("MatMul", [column(graph), row(graph)]),
  "Where": (graph) =>
    graph.node("Where", [graph.node("Cast", [row(graph)], { to: 9 }), column(graph), row(graph)]),
  "Gather": (graph) =>
    graph.node("Gather", [row(graph), graph.node("Cast", [column(graph)], { to: 7 })], { axis: 0 }),
  "Conv with much around it": (graph, image) =>
    graph.node("Conv", [image, floats(graph, "w", [1, 3, 1, 1], 1, 1, 1)], {
      pads: [10_000, 10_000, 10_000, 10_000],
    }),
  "many constants": (graph) =>
    graph.node(
      "Concat",
      Array.from({ length: 20 }, (_, i) => graph.node("ConstantOfShape", [graph.ints([1e6 + i])])),
      { axis: 0 },
    ),
  "RandomNormal": node("RandomNormal", { shape: huge }),
  "EyeLike": (graph, image) => graph.node("EyeLike", [image]),
  "an operator of no ViT": (graph, image) => graph.node("NonMaxSuppression", [image]),
  "an input that no node makes": (graph) => graph.node("Neg", ["nothing"]),
};

for (const [name, build] of Object.entries(HOSTILE)) {
  Deno.test(`a graph is refused: ${name}`, () => {
    assertThrows(() => bounds(build), SyntaxError, "is refused");
  });
}
