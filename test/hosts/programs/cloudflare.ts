// The job in Cloudflare's workerd, which reads the images from a service that the test binds. The test
// imports the model as a data module, as `@vit-msn/edge/model.onnx`.

import { run } from "./job.ts";

interface Environment {
  readonly IMAGES: { fetch(url: string): Promise<Response> };
}

/** A Worker that answers each request with what the job gives. */
export function workerOf(model: ArrayBuffer) {
  return {
    async fetch(_request: Request, { IMAGES }: Environment): Promise<Response> {
      const answers = await run({
        read: async (name) => {
          const response = await IMAGES.fetch(`http://images/${name}`);
          return new Uint8Array(await response.arrayBuffer());
        },
        model: new Uint8Array(model),
        workers: false,
      });
      return Response.json(answers);
    },
  };
}
