// Doubles numbers, and throws at a negative one.

import { workerScope } from "../../src/host/worker_scope.ts";

const scope = workerScope<number, number>();

scope.onmessage = ({ data }) => {
  if (data < 0) throw new RangeError("too small");
  scope.postMessage(2 * data);
};
