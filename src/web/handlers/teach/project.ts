import { principalComponents } from "../../compare/principal_components.ts";
import type { Handler } from "../handlers.ts";

/** Puts vectors on a map. */
export const project: Handler<"project"> = ({ data, size }) =>
  Promise.resolve(principalComponents(data, size) as Float32Array<ArrayBuffer>);
