import { assertEquals, assertThrows } from "@std/assert";
import { PipelineTensor } from "../../../src/model/pipeline/pipeline_tensor.ts";

const data = Float32Array.of(1, 2, 3, 4, 5, 6);

Deno.test("a pipeline's tensor nests its elements as deeply as it has axes", () => {
  assertEquals(new PipelineTensor(data, [1, 2, 3]).tolist(), [[[1, 2, 3], [4, 5, 6]]]);
  assertEquals(new PipelineTensor(data, [6]).tolist(), [1, 2, 3, 4, 5, 6]);
  assertEquals(new PipelineTensor(Float32Array.of(7), []).tolist(), 7);
  assertEquals(new PipelineTensor(new Float32Array(), [0, 3]).tolist(), []);
});

Deno.test("a pipeline's tensor is iterated over its first axis", () => {
  const rows = [...new PipelineTensor(data, [3, 1, 2])];
  assertEquals(rows.map(({ dims, data }) => [dims, [...data]]), [
    [[1, 2], [1, 2]],
    [[1, 2], [3, 4]],
    [[1, 2], [5, 6]],
  ]);
});

Deno.test("a pipeline's tensor has no elements after dispose()", () => {
  const tensor = new PipelineTensor(data, [6]);
  tensor.dispose();
  assertEquals(tensor.dims, [6]);
  assertThrows(() => tensor.data, Error, "it was disposed");
  assertThrows(() => tensor.tolist(), Error, "it was disposed");
});

Deno.test("a pipeline's tensor refuses elements that do not fit its sizes", () => {
  assertThrows(() => new PipelineTensor(data, [2, 2]), RangeError, "6 numbers do not fit");
});
