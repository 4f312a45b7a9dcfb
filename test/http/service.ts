import { createHandler, type HandlerOptions } from "../../src/http/handler.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { loadModel } from "../../src/model/load_model.ts";

const model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));

/** A picture that the embedded model names. */
export const SHIP = await Deno.readFile("test/images/ship.jpg");

/** A service of the embedded model, in this thread. */
export function service(options: Partial<HandlerOptions> = {}): ReturnType<typeof createHandler> {
  return createHandler({
    model: { model, sha256: "of the embedded model" },
    decoder: new ImageDecoder({ workers: 0 }),
    ...options,
  });
}

/** A POST request. */
export function post(
  path: string,
  body: BodyInit | object,
  headers: Record<string, string> = {},
): Request {
  const isData = body instanceof Uint8Array || body instanceof FormData ||
    body instanceof ReadableStream || typeof body === "string";
  return new Request(`http://service.test${path}`, {
    method: "POST",
    body: isData ? body as BodyInit : JSON.stringify(body),
    headers: { ...(isData ? {} : { "content-type": "application/json" }), ...headers },
  });
}

/** A GET request. */
export function get(path: string, headers: Record<string, string> = {}): Request {
  return new Request(`http://service.test${path}`, { headers });
}
