/** What is used of transformers.js. */
export interface Transformers {
  env: Record<string, unknown>;
  AutoModel: {
    from_pretrained(name: string, options: unknown): Promise<
      (inputs: unknown) => Promise<{ last_hidden_state: { data: Float32Array; dims: number[] } }>
    >;
  };
  AutoProcessor: { from_pretrained(name: string): Promise<(image: unknown) => Promise<unknown>> };
  RawImage: { fromBlob(blob: Blob): Promise<unknown> };
  pipeline(task: "image-classification", name: string, options: unknown): Promise<
    (image: unknown) => Promise<{ label: string; score: number }[]>
  >;
}

/** The JSON documents of a Hugging Face model folder. */
export interface Documents {
  readonly config: unknown;
  readonly preprocessorConfig: unknown;
}

// A specifier that is no literal is not part of the module graph, nor of the lock file.
const PACKAGE: string = "npm:@huggingface/transformers@4.3.1";

/** The name of the model that {@linkcode writeTransformersModel} writes. */
export const MODEL_NAME = "model";

/** How its models are made: on the processor, in one thread. */
export const ONE_THREAD = {
  // What dtype says is but the file's name: it is `model.onnx` for fp32.
  dtype: "fp32",
  device: "cpu",
  session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
} as const;

/** transformers.js with the models of a folder, and no others. */
export async function transformersOf(folder: string): Promise<Transformers> {
  const transformers = await import(PACKAGE) as Transformers;
  Object.assign(transformers.env, {
    allowRemoteModels: false,
    allowLocalModels: true,
    localModelPath: folder,
    useFSCache: false,
    useBrowserCache: false,
  });
  return transformers;
}

/** Writes an ONNX file into a folder the way that transformers.js looks for it. */
export async function writeTransformersModel(
  folder: string,
  model: Uint8Array,
  { config, preprocessorConfig }: Documents,
): Promise<void> {
  const path = `${folder}/${MODEL_NAME}`;
  await Deno.mkdir(`${path}/onnx`, { recursive: true });
  await Deno.writeTextFile(`${path}/config.json`, JSON.stringify(config));
  await Deno.writeTextFile(
    `${path}/preprocessor_config.json`,
    JSON.stringify(preprocessorConfig),
  );
  await Deno.writeFile(`${path}/onnx/model.onnx`, model);
}
