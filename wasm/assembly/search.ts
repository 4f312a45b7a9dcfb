// The module of the exact search: rows of float16 against queries, and a first pass over rows of int8.

export { candidates, candidatesFour } from "./search/candidates";
export { checksum } from "./search/checksum";
export { encode } from "./search/encode";
export { scan, scanFour, scanSome } from "./search/scan";
