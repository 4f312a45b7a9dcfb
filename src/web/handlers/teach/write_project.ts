/// <reference lib="dom" />
import { type ProjectContent, writeProjectZip } from "../../store/project_zip.ts";
import type { Handler } from "../handlers.ts";

let photos: ProjectContent["photos"][number][] = [];
let images: ProjectContent["images"][number][] = [];

/** Collects photos in parts, so that the page can send them without a pause. */
export const givePhotos: Handler<"givePhotos"> = (part) => {
  // An export that failed may have left some.
  if (part.from === 0) [photos, images] = [[], []];
  photos.push(...part.photos);
  images.push(...part.images);
  return Promise.resolve(undefined);
};

/** Writes a project as a zip file. */
export const writeProject: Handler<"writeProject"> = (classes) => {
  const content = { classes, photos, images };
  [photos, images] = [[], []];
  return Promise.resolve(new Blob(writeProjectZip(content), { type: "application/zip" }));
};
