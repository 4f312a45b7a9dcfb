import { assert, assertEquals } from "@std/assert";
import stringWidth from "string-width";
import { trainingLine } from "../../../src/cli/output/training_line.ts";

const progress = {
  epoch: 3,
  epochs: 20,
  step: 30,
  steps: 60,
  loss: 1.234,
  imagesPerSecond: 118.4,
  accuracy: 0.612,
  secondsLeft: 250,
};
const full = "epoch 3/20  loss 1.234  118 images/s  held-out 61.2 %  4:10 left";

Deno.test("a line of training keeps what matters most in a narrow terminal", () => {
  const lines = [120, 80, 65, 64, 50, 40, 30, 10, 1, 0].map((columns) =>
    trainingLine(progress, columns)
  );
  assertEquals(lines, [
    `${"█".repeat(15)}${"░".repeat(15)}  ${full}`,
    full,
    full,
    "epoch 3/20  loss 1.234  held-out 61.2 %  4:10 left",
    "epoch 3/20  loss 1.234  4:10 left",
    "epoch 3/20  loss 1.234  4:10 left",
    "epoch 3/20  4:10 left",
    "epoch 3/2",
    "",
    "",
  ]);
});

Deno.test("a line of training is shorter than the terminal at every width", () => {
  for (let columns = 0; columns < 130; columns++) {
    assert(stringWidth(trainingLine(progress, columns)) <= Math.max(0, columns - 1), `${columns}`);
  }
});

Deno.test("a line of training leaves out what is not known, and shows that the loss is not finite", () => {
  const { accuracy: _, ...rest } = progress;
  const unknown = { ...rest, steps: 0, loss: NaN, imagesPerSecond: Infinity, secondsLeft: NaN };
  assertEquals(trainingLine(unknown, 200), "epoch 3/20  loss NaN");
  assertEquals(trainingLine({ ...unknown, accuracy: NaN }, 200), "epoch 3/20  loss NaN");
  assertEquals(
    trainingLine({ ...unknown, loss: 0.00012, imagesPerSecond: 0.25 }, 200),
    "epoch 3/20  loss 1.20e-4  0.3 images/s",
  );
});
