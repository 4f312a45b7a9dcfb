/**
 * A function that makes embeddings of images.
 *
 * @module
 */

import { serveFunction } from "../_shared/serve_function.ts";

await serveFunction(import.meta.resolve("../_shared/"), ["embed", "openai"]);
