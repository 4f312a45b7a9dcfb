import { fitAndReport } from "../../teach/fit_report.ts";
import type { Handler } from "../handlers.ts";
import { featuresOf, keepHead } from "./fitted.ts";

/** Hexadecimal digits of a photo's SHA-256 in a head's file, as `deno task fit` writes them. */
const ID_LENGTH = 16;

/** Fits a classifier on embeddings. */
export const fit: Handler<"fit"> = ({ data, size, labels, hashes }, { model }) => {
  const embeddings = labels.map((_, i) => data.subarray(i * size, (i + 1) * size));
  const ids = hashes.map((hash) => hash.slice(0, ID_LENGTH));
  const { head, report } = fitAndReport(featuresOf(model, embeddings), labels, ids);
  keepHead(model, head);
  return Promise.resolve(report);
};
