import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { aligned } from "./arena.ts";
import type { PackedModel } from "./packed_model.ts";
import {
  type Geometry,
  makeWorkspace,
  PROGRESS_STRIDE,
  type Workspace,
  workspaceEnd,
} from "./workspace.ts";

/** Lanes of a thread: while one is computed, the other is emptied and filled again. */
const LANES_PER_THREAD = 2;
/** The most memory of all lanes, in bytes; the threads share images that need more. */
const MAX_LANE_BYTES = 2 ** 28;

/** A workspace for images that a thread computes alone. */
export interface Lane {
  readonly workspace: Workspace;
  readonly thread: number;
}

/** A workspace of this many threads in a memory, from `start` on; its first thread counts at `progress`. */
type Make = (
  memory: WebAssembly.Memory,
  threads: number,
  start: number,
  progress: number,
) => Workspace;

/**
 * The workspaces of a geometry, one behind the other in a memory: one for an image that the threads
 * share, and lanes for whole images. They are written when they are first used; until then, they take no
 * memory of the host.
 */
export class Workspaces {
  readonly geometry: Geometry;
  /** Where they end. */
  readonly end: number;
  readonly #make: Make;
  readonly #threads: number;
  readonly #progress: number;
  readonly #sharedStart: number;
  readonly #laneStarts: readonly number[];
  #shared: Workspace | undefined;
  #lanes: readonly Lane[] | undefined;

  /** Lays them out from `start` on. */
  constructor(
    config: ViTMSNConfig,
    model: PackedModel,
    geometry: Geometry,
    threads: number,
    start: number,
  ) {
    const layout = [config, model, geometry] as const;
    this.geometry = geometry;
    this.#make = (memory, threads, start, progress) =>
      makeWorkspace(...layout, threads, memory, start, progress);
    this.#threads = threads;
    this.#progress = aligned(start);
    this.#sharedStart = this.#progress + threads * PROGRESS_STRIDE;
    const sharedEnd = workspaceEnd(...layout, threads, this.#sharedStart);
    const laneStarts: number[] = [];
    let end = sharedEnd;
    for (let lane = 0; lane < LANES_PER_THREAD * threads; lane++) {
      laneStarts.push(end);
      end = workspaceEnd(...layout, 1, end);
    }
    // Images whose attentions are kept are computed block by block, which threads share.
    const hasLanes = threads > 1 && !geometry.attentions && end - sharedEnd <= MAX_LANE_BYTES;
    this.#laneStarts = hasLanes ? laneStarts : [];
    this.end = hasLanes ? end : sharedEnd;
  }

  /** For an image that all threads share. */
  shared(memory: WebAssembly.Memory): Workspace {
    return this.#shared ??= this.#make(memory, this.#threads, this.#sharedStart, this.#progress);
  }

  /** For whole images; none if a thread works alone, or images are too large. */
  lanes(memory: WebAssembly.Memory): readonly Lane[] {
    return this.#lanes ??= this.#laneStarts.map((start, i) => {
      const thread = i % this.#threads;
      const progress = this.#progress + thread * PROGRESS_STRIDE;
      return { workspace: this.#make(memory, 1, start, progress), thread };
    });
  }
}
