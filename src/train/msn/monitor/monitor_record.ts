import type { FeatureMeasurement } from "./monitor.ts";
import type { PrototypeReport } from "./prototype_usage.ts";

/**
 * One measurement of a pre-training: how good its features are, and how its targets use the prototypes since
 * the measurement before. The figures of `PrototypeReport` are absent before the first step.
 */
export interface PretrainMonitorRecord extends FeatureMeasurement, Partial<PrototypeReport> {
  /** The optimizer's steps since the start; 0 is the untrained network. */
  readonly step: number;
  /** The images seen since the start, with each use of an image counted. */
  readonly images: number;
}
