import { firstLabel } from "./first_label.ts";

/** A Worker that answers a photo with its label. */
export function workerOf(model: ArrayBuffer) {
  return {
    async fetch(request: Request): Promise<Response> {
      const photo = new Uint8Array(await request.arrayBuffer());
      return new Response(await firstLabel(photo, new Uint8Array(model)));
    },
  };
}
