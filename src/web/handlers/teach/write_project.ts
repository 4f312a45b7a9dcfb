/// <reference lib="dom" />
import { writeProjectZip } from "../../store/project_zip.ts";
import type { Handler } from "../handlers.ts";

/** Writes a project as a zip file. */
export const writeProject: Handler<"writeProject"> = (content) =>
  Promise.resolve(new Blob(writeProjectZip(content), { type: "application/zip" }));
