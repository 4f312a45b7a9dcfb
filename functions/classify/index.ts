/**
 * A function that classifies images.
 *
 * @module
 */

import { serveFunction } from "../_shared/serve_function.ts";

await serveFunction(import.meta.resolve("../_shared/"), ["classify"]);
