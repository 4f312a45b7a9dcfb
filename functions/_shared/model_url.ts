/**
 * The embedded model: a small ViT-MSN that names ten kinds of things, and the backbone for first trials.
 *
 * @module
 */

/**
 * Where the embedded model's ONNX file is: a `file:` URL in Node.js, Deno and Bun, an asset's address in a
 * page.
 */
export const EMBEDDED_MODEL: URL = new URL("./model.onnx", import.meta.url);
