/**
 * A function with all routes, for a container.
 *
 * @module
 */

import { ROUTE_GROUPS } from "../../src/http/route_group.ts";
import { serveFunction } from "../_shared/serve_function.ts";

await serveFunction(import.meta.resolve("../_shared/"), ROUTE_GROUPS);
