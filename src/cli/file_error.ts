export { readErrorMessage, writeErrorMessage } from "../dataset/file_error.ts";
