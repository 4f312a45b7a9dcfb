import type { Embed } from "../peers.ts";

/** What is used of onnxruntime-node. */
interface Ort {
  Tensor: new (type: "float32", data: Float32Array, shape: number[]) => unknown;
  InferenceSession: { create(model: Uint8Array, options: unknown): Promise<OrtSession> };
}

interface OrtSession {
  run(
    feeds: Record<string, unknown>,
    outputs: string[],
  ): Promise<Record<string, { data: Float32Array; dims: number[] }>>;
}

/** What is used of sharp. */
interface Sharp {
  (file: Uint8Array): Sharp;
  concurrency(threads: number): void;
  resize(width: number, height: number, options: { fit: "fill"; kernel: string }): Sharp;
  removeAlpha(): Sharp;
  raw(): Sharp;
  toBuffer(): Promise<Uint8Array>;
}

const SIZE = 224;
const MEAN = [0.485, 0.456, 0.406] as const;
const STD = [0.229, 0.224, 0.225] as const;

// Specifiers that are no literals are not part of the module graph, nor of the lock file.
const ORT_PACKAGE: string = "npm:onnxruntime-node@1.30.0";
const SHARP_PACKAGE: string = "npm:sharp@0.35.5";

/** onnxruntime-node with pixels that sharp decodes and resizes, each in one thread. */
export async function onnxruntimeNode(model: Uint8Array): Promise<Embed> {
  const { default: ort } = await import(ORT_PACKAGE) as { default: Ort };
  const { default: sharp } = await import(SHARP_PACKAGE) as { default: Sharp };
  sharp.concurrency(1);
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  return async (photo) => {
    const rgb = await sharp(photo).resize(SIZE, SIZE, { fit: "fill", kernel: "linear" })
      .removeAlpha().raw().toBuffer();
    const pixel_values = new ort.Tensor("float32", normalized(rgb), [1, 3, SIZE, SIZE]);
    const { last_hidden_state } = await session.run({ pixel_values }, ["last_hidden_state"]);
    const { data, dims } = last_hidden_state!;
    return data.slice(0, dims[2]);
  };
}

/** Interleaved levels as planes. */
function normalized(rgb: Uint8Array): Float32Array {
  const count = SIZE * SIZE;
  const planes = new Float32Array(3 * count);
  for (let c = 0; c < 3; c++) {
    const factor = 1 / (255 * STD[c]!);
    const offset = MEAN[c]! / STD[c]!;
    for (let i = 0; i < count; i++) planes[c * count + i] = rgb[3 * i + c]! * factor - offset;
  }
  return planes;
}
