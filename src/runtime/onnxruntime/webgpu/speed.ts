import { deadline } from "@std/async/deadline";

/** How fast a device is. */
export interface GpuSpeed {
  /** From handing in work to knowing that it is done, in milliseconds. */
  readonly latency: number;
  /** What one more shader in a row adds, in milliseconds. */
  readonly perDispatch: number;
  /** Floating-point operations a millisecond, in a product of matrices. */
  readonly operations: number;
}

/** Rows and columns of the matrices: a card has done with them in well under a millisecond. */
const SIZE = 512;
const TILE = 16;
/** Shaders in a row, about as many as a model of twelve layers has. */
const DISPATCHES = 200;
const ROUNDS = 3;
const TIMEOUT = 10_000;

/** A product of square matrices, tile by tile, as the plainest of fast kernels does it. */
const MATMUL = `
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
const N = ${SIZE}u;
const T = ${TILE}u;
var<workgroup> tileA: array<f32, ${TILE * TILE}>;
var<workgroup> tileB: array<f32, ${TILE * TILE}>;
@compute @workgroup_size(${TILE}, ${TILE})
fn main(@builtin(global_invocation_id) global: vec3u, @builtin(local_invocation_id) local: vec3u) {
  var sum = 0f;
  for (var t = 0u; t < N / T; t++) {
    tileA[local.y * T + local.x] = a[global.y * N + t * T + local.x];
    tileB[local.y * T + local.x] = b[(t * T + local.y) * N + global.x];
    workgroupBarrier();
    for (var k = 0u; k < T; k++) {
      sum += tileA[local.y * T + k] * tileB[k * T + local.x];
    }
    workgroupBarrier();
  }
  c[global.y * N + global.x] = sum;
}`;

/** `GPUBufferUsage` of the WebGPU specification, which not every library of types has as values. */
const [COPY_DST, STORAGE] = [0x0008, 0x0080];

/**
 * Measures a device, in a few milliseconds on a graphics card.
 *
 * @throws {Error} if it does not answer.
 */
export async function measureSpeed(device: GPUDevice): Promise<GpuSpeed> {
  const size = 4 * SIZE * SIZE;
  const buffers = [0, 1, 2].map(() => device.createBuffer({ size, usage: STORAGE | COPY_DST }));
  try {
    const pipeline = device.createComputePipeline({
      layout: "auto",
      compute: { module: device.createShaderModule({ code: MATMUL }), entryPoint: "main" },
    });
    const bindings = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    /** The time of `dispatches` dispatches in a row, each of `groups` × `groups` groups, in milliseconds. */
    const time = async (dispatches: number, groups: number): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round <= ROUNDS; round++) {
        const start = performance.now();
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindings);
        for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(groups, groups);
        pass.end();
        device.queue.submit([encoder.finish()]);
        await deadline(device.queue.onSubmittedWorkDone(), TIMEOUT);
        if (round > 0) times.push(performance.now() - start); // the first one compiles
      }
      return Math.min(...times);
    };
    const latency = await time(1, 1);
    const perDispatch = Math.max(0, await time(DISPATCHES, 1) - latency) / DISPATCHES;
    const busy = Math.max(1e-3, await time(1, SIZE / TILE) - latency);
    return { latency, perDispatch, operations: 2 * SIZE ** 3 / busy };
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
