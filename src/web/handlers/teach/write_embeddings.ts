/// <reference lib="dom" />
import { embeddingsFile } from "../../teach/embeddings_file.ts";
import type { Handler } from "../handlers.ts";

/** Writes embeddings as JSON lines. */
export const writeEmbeddings: Handler<"writeEmbeddings"> = (photos) =>
  Promise.resolve(new Blob([embeddingsFile(photos)], { type: "application/jsonl" }));
