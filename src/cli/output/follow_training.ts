import { writeSafetensors } from "../../checkpoint/safetensors.ts";
import { removeIfThere } from "../../hub/remove_if_there.ts";
import { writeFile } from "../../hub/write_file.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { EpochProgress } from "../../train/epoch_progress.ts";
import { errorMessage } from "../command.ts";
import { interruptible } from "../options/interruptible.ts";
import { printable } from "./printable.ts";
import { StatusLine } from "./progress/status_line.ts";
import type { Terminal } from "./terminal.ts";
import { trainingLine } from "./training_line.ts";

/** What every training tells while it works; `Figures` are what it tells with a state to go on from. */
type TrainingEvent<State, Result, Figures> =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "step" } & EpochProgress
  | Figures
  | { readonly kind: "interrupted"; readonly state: State }
  | { readonly kind: "result"; readonly result: Result };

/** How a training is shown and kept. */
export interface FollowOptions<State, Result, Figures> {
  readonly terminal: Terminal;
  /** Writes a line with the command's name. */
  readonly say: (text: string) => void;
  /** Where the training is kept until it is done. */
  readonly statePath: string;
  /** Whether it goes on with what is there. */
  readonly isResumed: boolean;
  stateToTensors(state: State): ReadonlyMap<string, Tensor>;
  /**
   * Reports figures.
   *
   * @param save saves the training that goes on with them.
   * @param attempt writes something else, such as a log: if that fails, it says so, and training goes on.
   */
  onFigures(
    figures: Figures,
    save: () => Promise<void>,
    attempt: (write: () => Promise<void>) => Promise<boolean>,
  ): Promise<void>;
  /** Writes what training made. */
  onResult(result: Result): Promise<void>;
}

/**
 * Follows a training to its end: shows its progress, and saves it as it says and when it is interrupted. What was
 * saved goes once the result is written.
 *
 * @param start starts the training, which the signal interrupts.
 * @returns the result; `undefined` if the training was interrupted.
 * @throws {Error} what the training or `onResult` throws.
 */
export async function followTraining<
  State,
  Result extends { readonly stopped?: string },
  Figures extends { readonly kind: "epoch" | "record"; state(): State },
>(
  start: (signal: AbortSignal) => AsyncIterable<TrainingEvent<State, Result, Figures>>,
  options: FollowOptions<State, Result, Figures>,
): Promise<Result | undefined> {
  const { terminal, say, statePath, isResumed } = options;
  const status = new StatusLine(terminal.stderr);
  const interruption = interruptible();
  const goOn = `${statePath} has the training: add --resume to go on`;
  const save = (state: State) =>
    writeFile(statePath, [writeSafetensors(options.stateToTensors(state))]);
  let hasState = false;
  // What cannot be written while training goes on does not end it: there may be room again.
  const attempt = async (write: () => Promise<void>) => {
    try {
      await write();
      return true;
    } catch (error) {
      say(`${errorMessage(error)}; training goes on`);
      return false;
    }
  };
  let result: Result | undefined;
  try {
    for await (const event of start(interruption.signal)) {
      if (event.kind !== "message") hasState ||= isResumed; // it is this training's
      if (event.kind === "step") {
        status.draw(performance.now(), () => trainingLine(event, terminal.stderr.columns));
        continue;
      }
      status.clear();
      if (event.kind === "message") say(printable(event.text));
      else if (event.kind === "interrupted") {
        await save(event.state);
        say(`interrupted; ${goOn}`);
        return undefined;
      } else if (event.kind === "result") result = event.result;
      else {
        await options.onFigures(
          event,
          async () => {
            hasState = await attempt(() => save(event.state())) || hasState;
          },
          attempt,
        );
      }
    }
    await options.onResult(result!);
    await removeIfThere(statePath);
    if (result!.stopped !== undefined) say(`training ended early: ${result!.stopped}`);
    return result;
  } catch (error) {
    status.clear();
    if (error instanceof DOMException && error.name === "AbortError") {
      say("interrupted before training began; nothing was written");
      return undefined;
    }
    if (hasState) say(goOn);
    throw error;
  } finally {
    status.clear();
    interruption.end();
  }
}
