/** How targets use the prototypes, over all steps since the last reset. */
export interface PrototypeReport {
  /** K, the number of prototypes. */
  readonly prototypes: number;
  /** The number of targets: one for each image of each step. */
  readonly targets: number;
  /** The number of prototypes that are the most probable one of at least one target; at most `targets`. */
  readonly prototypesInUse: number;
  /** The mean entropy of a target, -Σ t log t, in nats: 0 if it names one prototype, log K if it tells nothing. */
  readonly targetEntropy: number;
  /** The same divided by log K, from 0 to 1. */
  readonly targetEntropyShare: number;
  /** The mean of a target's largest probability, from 1 / K to 1. */
  readonly meanTargetProbability: number;
}

/** What `PrototypeUsage` has accumulated, which JSON carries without loss. */
export interface PrototypeUsageState {
  /** K, the number of prototypes; 0 before the first targets. */
  readonly prototypes: number;
  /** The number of targets. */
  readonly targets: number;
  /** The sum of their entropies, in nats. */
  readonly entropy: number;
  /** The sum of their largest probabilities. */
  readonly largest: number;
  /** The prototypes in use, in ascending order. */
  readonly used: readonly number[];
}

const CANNOT_ADD = "Cannot count the use of prototypes";
const CANNOT_RESTORE = "Cannot restore the use of prototypes";

/**
 * Accumulates how the targets of MSN's loss use the prototypes: few in use, or targets that tell nothing, are
 * the first sign of collapse.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { PrototypeUsage } from "./prototype_usage.ts";
 *
 * const usage = new PrototypeUsage();
 * usage.add(Float32Array.of(1, 0, 0, 0.5, 0.5, 0), 3); // two targets over three prototypes
 * const { prototypesInUse, targetEntropy, meanTargetProbability } = usage.report()!;
 * assertEquals([prototypesInUse, meanTargetProbability], [1, 0.75]);
 * assertEquals(targetEntropy, Math.log(2) / 2);
 *
 * const resumed = new PrototypeUsage();
 * resumed.restore(JSON.parse(JSON.stringify(usage.state)));
 * assertEquals(resumed.report(), usage.report());
 * ```
 */
export class PrototypeUsage {
  #prototypes = 0;
  #targets = 0;
  #entropy = 0;
  #largest = 0;
  readonly #used = new Set<number>();

  /**
   * Adds the targets of a step.
   *
   * @param targets [B, K], each row of probabilities; of equal ones, the first is the most probable.
   * @param prototypes K, at least 2, the same until the next reset.
   * @throws {RangeError} if the targets are not rows of K numbers, K changes, or a number is not finite;
   * nothing is added then.
   */
  add(targets: Float32Array, prototypes: number): void {
    if (!Number.isInteger(prototypes) || prototypes < 2 || targets.length % prototypes !== 0) {
      throw new RangeError(
        `${CANNOT_ADD}: ${targets.length} numbers are no rows of ${prototypes} prototypes; ` +
          "give [B, K] with K from 2 on",
      );
    }
    if (this.#targets > 0 && prototypes !== this.#prototypes) {
      throw new RangeError(
        `${CANNOT_ADD}: there were ${this.#prototypes}, now ${prototypes}; reset before`,
      );
    }
    if (!targets.every(Number.isFinite)) {
      throw new RangeError(`${CANNOT_ADD}: a target is not finite; training has diverged`);
    }
    this.#prototypes = prototypes;
    for (let start = 0; start < targets.length; start += prototypes) {
      let best = start;
      let entropy = 0;
      for (let i = start; i < start + prototypes; i++) {
        const t = targets[i]!;
        if (t > targets[best]!) best = i;
        if (t > 0) entropy -= t * Math.log(t);
      }
      this.#targets++;
      this.#entropy += entropy;
      this.#largest += targets[best]!;
      this.#used.add(best - start);
    }
  }

  /** The figures since the last reset; `undefined` if there were no targets. */
  report(): PrototypeReport | undefined {
    if (this.#targets === 0) return undefined;
    const targetEntropy = this.#entropy / this.#targets;
    return {
      prototypes: this.#prototypes,
      targets: this.#targets,
      prototypesInUse: this.#used.size,
      targetEntropy,
      targetEntropyShare: targetEntropy / Math.log(this.#prototypes),
      meanTargetProbability: this.#largest / this.#targets,
    };
  }

  /** Forgets all targets. */
  reset(): void {
    this.restore({ prototypes: 0, targets: 0, entropy: 0, largest: 0, used: [] });
  }

  /** A copy of what was accumulated, for `restore`. */
  get state(): PrototypeUsageState {
    return {
      prototypes: this.#prototypes,
      targets: this.#targets,
      entropy: this.#entropy,
      largest: this.#largest,
      used: [...this.#used].sort((a, b) => a - b),
    };
  }

  /**
   * Goes on from a saved state, instead of what was accumulated here.
   *
   * @throws {RangeError} if the state is no `PrototypeUsageState`; nothing changes then.
   */
  restore(state: PrototypeUsageState): void {
    const { prototypes, targets, entropy, largest, used } = state;
    const isCount = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
    const isSum = (x: unknown) => Number.isFinite(x) && (x as number) >= 0;
    if (
      !isCount(prototypes) || !isCount(targets) || !isSum(entropy) || !isSum(largest) ||
      !Array.isArray(used) || !used.every((p) => isCount(p) && p < prototypes) ||
      new Set(used).size !== used.length || used.length > targets ||
      (targets > 0) !== (used.length > 0)
    ) {
      throw new RangeError(`${CANNOT_RESTORE}: the state is damaged; give what \`state\` returned`);
    }
    this.#prototypes = prototypes;
    this.#targets = targets;
    this.#entropy = entropy;
    this.#largest = largest;
    this.#used.clear();
    for (const prototype of used) this.#used.add(prototype);
  }
}
