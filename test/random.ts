export { uniform } from "../src/tensor/uniform.ts";
