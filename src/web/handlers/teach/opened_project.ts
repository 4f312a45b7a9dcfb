/// <reference lib="dom" />
import { MAX_ZIP_BYTES, type ProjectContent, readProjectZip } from "../../store/project_zip.ts";
import type { Handler } from "../handlers.ts";

let opened: ProjectContent | undefined;

/** Reads and checks a project's zip file. */
export const openProject: Handler<"openProject"> = async (file) => {
  if (file.size > MAX_ZIP_BYTES) {
    throw new RangeError("Cannot read the project: the file has more than 2 GB");
  }
  opened = readProjectZip(new Uint8Array(await file.arrayBuffer()));
  return { classes: opened.classes, photos: opened.photos.length };
};

/** Gives photos in parts, so that the page can write them to its store without a pause. */
export const takePhotos: Handler<"takePhotos"> = ({ from, count }) => {
  if (!opened) throw new Error("Cannot take photos: no project's file is open");
  const photos = opened.photos.slice(from, from + count);
  const images = opened.images.slice(from, from + count);
  if (from + count >= opened.photos.length) opened = undefined;
  return Promise.resolve({ photos, images });
};
