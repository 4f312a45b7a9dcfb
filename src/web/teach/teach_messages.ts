import type { Classification } from "../../mod.ts";
import type { Message } from "../messages.ts";
import type { PhotoImage, PhotoRecord } from "../store/records.ts";
import type { ProjectContent } from "../store/project_zip.ts";
import type { TeachReport } from "./fit_report.ts";
import type { NewPhoto } from "./project.ts";

/** The messages of Teach and Compare. */
export interface TeachMessages {
  /** The SHA-256 of the model's file. */
  identify: Message<undefined, string>;
  /** Makes a photo ready to be kept: its embedding, its thumbnail and the pixels that the model reads. */
  readPhoto: Message<ReadPhotoRequest, NewPhoto>;
  /** Computes the embeddings of kept pixels with the model that is loaded now. */
  embedPixels: Message<readonly PhotoImage[], readonly Float32Array<ArrayBuffer>[]>;
  /** Fits a classifier, which `predict`, `writeModel` and `writeHead` then use. */
  fit: Message<FitRequest, TeachReport>;
  /** Names what is on a photo, with the fitted classifier. */
  predict: Message<PredictRequest, readonly Classification[]>;
  /** The model with the fitted classifier, as an ONNX file. */
  writeModel: Message<undefined, Blob>;
  /** The fitted classifier alone, as an ONNX file. */
  writeHead: Message<undefined, Blob>;
  /** The embeddings as JSON lines. */
  writeEmbeddings: Message<EmbeddingsRequest, Blob>;
  /** Collects a part of the photos that `writeProject` writes. */
  givePhotos: Message<GivenPhotos, undefined>;
  /** A project of these classes and the photos that were given, as a zip file. */
  writeProject: Message<ProjectContent["classes"], Blob>;
  /** Reads a project's zip file, and keeps it until all of it is taken. */
  openProject: Message<Blob, OpenedProject>;
  /** Takes photos of the file that `openProject` read. */
  takePhotos: Message<TakeRequest, TakenPhotos>;
  /** Puts vectors on a map. */
  project: Message<Vectors, Float32Array<ArrayBuffer>>;
}

/** A file, or a frame of the webcam. */
export interface ReadPhotoRequest {
  readonly image: Blob | ImageBitmap;
  readonly name: string;
}

/** n vectors [D], one after the other. */
export interface Vectors {
  readonly data: Float32Array<ArrayBuffer>;
  /** D */
  readonly size: number;
}

/** The embeddings of n photos, and what they are called. */
export interface FitRequest extends Vectors {
  readonly labels: readonly string[];
  readonly hashes: readonly string[];
}

/** The embeddings of n photos, and where each would lie in a folder. */
export interface EmbeddingsRequest extends Vectors {
  readonly files: readonly string[];
}

/** A photo to name. */
export interface PredictRequest {
  readonly image: Blob | ImageBitmap;
}

/** What is in a project's file. */
export interface OpenedProject {
  readonly classes: ProjectContent["classes"];
  /** The number of photos. */
  readonly photos: number;
}

/** A part of the photos of a project's file. */
export interface TakeRequest {
  readonly from: number;
  readonly count: number;
}

/** A part of a project's photos; with `from` 0, the first part. */
export interface GivenPhotos extends TakenPhotos {
  readonly from: number;
}

/** Photos with their images. */
export interface TakenPhotos {
  readonly photos: readonly PhotoRecord[];
  readonly images: readonly PhotoImage[];
}
