import { basename, dirname } from "@std/path";
import { cacheFolder } from "../../hub/cache_folder.ts";
import { isMissingFile } from "../../hub/file_error_code.ts";
import { fileSystem, hasFileSystem } from "../../hub/file_system.ts";
import { HubFolder } from "../../hub/hub_folder.ts";
import type { HubName } from "../../hub/hub_name.ts";
import { HUB, type HubOptions } from "../../hub/hub_options.ts";
import { LocalFolder } from "../../hub/local_folder.ts";
import { MissingFileError } from "../../hub/missing_file_error.ts";
import { isWeightsName } from "../../hub/read_weights.ts";
import { openWebCache, WebFolder } from "../../hub/web_folder.ts";
import { CONVERTED_FILES } from "../../hub/converted_files.ts";
import type { Session } from "../../runtime/runtime.ts";
import { type ModelDescription, type ModelFile, readModelFile } from "../../vit_msn/model_file.ts";
import { createModel } from "../load_model.ts";
import { BACKBONE, type ViTMSNModel } from "../vit_msn_model.ts";
import type { PretrainedOptions } from "./pretrained_options.ts";
import { parseSource } from "./pretrained_source.ts";
import { readPretrained, readPretrainedFile } from "./read_pretrained.ts";

/** The default name of a browser's cache. */
const CACHE_NAME = "vit-msn-edge";

/** A model's class. */
export type ModelClass<Model> = new (file: ModelDescription, session: Session) => Model;

/**
 * Gets a model and makes it ready to run; see `ViTMSNModel.fromPretrained`, which calls it.
 *
 * @throws {TypeError} if it has no trained classifier, and the class needs one.
 */
export async function fromPretrained<Model extends ViTMSNModel>(
  Model: ModelClass<Model>,
  source: string | URL,
  options: PretrainedOptions,
): Promise<Model> {
  const { runtime, dtype = "f32" } = options;
  if (!Object.hasOwn(CONVERTED_FILES, dtype)) {
    const known = Object.keys(CONVERTED_FILES).join(", ");
    throw new TypeError(`Cannot use dtype: it is ${dtype}; choose one of ${known}`);
  }
  const file = await readSource(source, options);
  const model = await createModel(file, runtime ? { runtime } : {});
  if (model instanceof Model) return model;
  await model[Symbol.asyncDispose]();
  throw new TypeError(`Cannot classify: ${BACKBONE}`);
}

async function readSource(source: string | URL, options: PretrainedOptions): Promise<ModelFile> {
  const { revision, dtype, cache } = options;
  const parsed = await parseSource(source, revision);
  if ("path" in parsed) return await readPath(parsed.path, dtype);
  if ("hub" in parsed) {
    return hasFileSystem() && cache !== false
      ? await readCachedHub(parsed.hub, options)
      : await readWeb(parsed.hub, options);
  }
  if (hasFileSystem() && cache) {
    throw new TypeError(
      `Cannot use cache: it is ${cache}, but only models of the hub are kept in a folder, not ${source}`,
    );
  }
  return await readWeb(parsed.url, options);
}

async function readPath(path: string, dtype: PretrainedOptions["dtype"]): Promise<ModelFile> {
  if (await isFolder(path)) {
    return (await readPretrained(new LocalFolder(path), dtype ?? "f32")).file;
  }
  return (await readPretrainedFile(new LocalFolder(dirname(path)), basename(path), dtype)).file;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await fileSystem().stat(path)).isDirectory();
  } catch (error) {
    if (!isMissingFile(error)) throw error;
    throw new MissingFileError(`Cannot load the model ${path}: no such file or folder`);
  }
}

async function readCachedHub(name: HubName, options: PretrainedOptions): Promise<ModelFile> {
  const { dtype = "f32", cache } = options;
  await using folder = await HubFolder.open(
    name,
    cache || await cacheFolder(),
    toHubOptions(options),
  );
  const converted = await folder.readConverted(dtype);
  if (converted) return readModelFile(converted);
  const { file, isConverted } = await readPretrained(folder, dtype);
  await folder.complete(isConverted);
  if (isConverted) await folder.writeConverted(dtype, file.bytes);
  return file;
}

async function readWeb(of: HubName | URL, options: PretrainedOptions): Promise<ModelFile> {
  const { dtype, cache = CACHE_NAME } = options;
  const web = {
    ...toHubOptions(options),
    cache: cache === false || hasFileSystem() ? undefined : await openWebCache(cache),
  };
  const { folder, file } = of instanceof URL
    ? webFolderOf(of, web)
    : { folder: new WebFolder(of, web), file: undefined };
  const read = file === undefined
    ? await readPretrained(folder, dtype ?? "f32")
    : await readPretrainedFile(folder, file, dtype);
  await folder.complete();
  return read.file;
}

/** The folder at an address, or the folder of the file at it. */
function webFolderOf(
  url: URL,
  options: ConstructorParameters<typeof WebFolder>[1],
): { folder: WebFolder; file: string | undefined } {
  const last = url.pathname.split("/").at(-1)!;
  const isFile = last.endsWith(".onnx") || isWeightsName(last);
  const base = isFile ? new URL(".", url) : new URL(url);
  if (!isFile && !base.pathname.endsWith("/")) base.pathname += "/";
  base.search = url.search;
  return { folder: new WebFolder(base, options), file: isFile ? last : undefined };
}

function toHubOptions(
  { token, progress, endpoint = HUB, fetch, signal }: PretrainedOptions,
): HubOptions {
  return {
    endpoint,
    token,
    signal,
    tokenName: "the option token",
    ...(progress ? { onProgress: progress } : {}),
    ...(fetch ? { fetch } : {}),
  };
}
