export { uniform } from "../src/tensor/random.ts";
