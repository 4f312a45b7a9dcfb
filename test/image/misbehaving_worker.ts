// decode_worker.ts, but for two images: one of the byte 1 never comes to an end, one of the byte 2 is
// the end of the worker.

import "../../src/image/decode_worker.ts";
import type { DecodeRequest } from "../../src/image/decode_worker.ts";

const scope = globalThis as unknown as { onmessage: (event: MessageEvent<DecodeRequest>) => void };
const decode = scope.onmessage;

scope.onmessage = (event) => {
  const { bytes } = event.data;
  if (bytes[0] === 1) { for (;;); }
  if (bytes[0] === 2) throw new Error("the worker is broken");
  decode(event);
};
