/// <reference lib="dom" />
import { embeddingsFile } from "../../teach/embeddings_file.ts";
import type { Handler } from "../handlers.ts";

/** Writes embeddings as JSON lines. */
export const writeEmbeddings: Handler<"writeEmbeddings"> = ({ files, data, size }) => {
  const lines = embeddingsFile(
    files.map((file, i) => ({ file, embedding: data.subarray(i * size, (i + 1) * size) })),
  );
  return Promise.resolve(new Blob([lines], { type: "application/jsonl" }));
};
