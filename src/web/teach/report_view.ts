/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { HeadEvaluation } from "../../mod.ts";
import { labelBars } from "../parts/label_bars.ts";
import { confusionTable } from "./confusion_table.ts";
import type { WrongPhoto } from "./fit_report.ts";
import { reliabilityPlot } from "./reliability_plot.ts";
import { photosText, type Taught, type Teaching } from "./teaching.ts";

/** Tries the classifier on a photo. */
function trial(teaching: Teaching): TemplateResult {
  const { tried } = teaching;
  return html`
    <label class="button-like">
      <input
        type="file"
        accept="image/*"
        aria-label="Try it on a photo"
        @change=${({ target }: Event) => {
          const input = target as HTMLInputElement;
          const [file] = input.files ?? [];
          if (file) void teaching.tryPhoto(file);
          input.value = ""; // so that the same file can be chosen again
        }}
      >
      <span>Try it on a photo</span>
    </label>
    ${tried
      ? html`
        <div class="tried" aria-live="polite">
          <img src=${tried.url} alt=${tried.file.name}>
          <div>${tried.labels ? labelBars(tried.labels) : nothing}</div>
        </div>
      `
      : nothing}
  `;
}

/** How good the classifier is, in a few words. */
export function summary(teaching: Teaching, taught: Taught): TemplateResult {
  const { report, seconds, hashes } = taught;
  const { evaluation, method } = report;
  const left = hashes.length - (evaluation?.count ?? 0);
  return html`
    <section class="panel report" aria-labelledby="report">
      <h2 id="report">How good it is</h2>
      ${evaluation ? accuracy(evaluation, report.isBetter!) : html`
        <p>
          Not known yet: three photos of each class are needed to hold some out and to look how many of them
          it names right. Scores are not calibrated, and it cannot answer “unknown”.
        </p>
      `}
      <p class="waiting">
        Method: ${method}, chosen ${evaluation
          ? "by cross-validation"
          : "for so few photos"}; taught with
        ${photosText(hashes.length)} in ${seconds.toFixed(1)} s.
        ${evaluation && left > 0
          ? html`${photosText(left)} of classes with fewer than three cannot be held out.`
          : nothing}
        ${report.knowsUnknown ? "It answers “unknown” for photos of no class." : nothing}
        ${evaluation && !report.calibrated
          ? "Scores are not calibrated: calibration would make them all equal."
          : nothing}
      </p>
      ${trial(teaching)}
    </section>
  `;
}

/** What it gets wrong, and how. */
export function details(teaching: Teaching, taught: Taught): TemplateResult | typeof nothing {
  const { evaluation } = taught.report;
  if (!evaluation) return nothing;
  return html`
    <section class="panel details" aria-label="What it gets wrong, in detail">
      <div>${wrongPhotos(teaching, taught)}</div>
      <div>
        <h3>What it takes for what</h3>
        ${confusionTable(evaluation)}
      </div>
      <div>
        <h3>How far its scores can be trusted</h3>
        ${reliabilityPlot(evaluation)}
      </div>
    </section>
  `;
}

function accuracy(
  { accuracy, confidenceInterval: [low, high], count, guessing: { chance } }: HeadEvaluation,
  isBetter: boolean,
): TemplateResult {
  return html`
    <p class="accuracy"><strong>${percent(accuracy)}</strong> right</p>
    <p>
      ${Math.round(accuracy * count)} of ${photosText(count)}, each held out once. Of new photos,
      ${percent(low)} to ${percent(
        high,
      )} are to be expected (95 % interval); guessing gets ${percent(chance)}.
    </p>
    ${isBetter ? nothing : html`
      <p class="error">
        That may be luck: it is not surely better than guessing. Add more photos, or others.
      </p>
    `}
  `;
}

/** The most that are shown. */
const MAX_WRONG = 12;

function wrongPhotos(teaching: Teaching, { report: { wrong }, hashes }: Taught): TemplateResult {
  const { project } = teaching;
  // A photo that was deleted since then is not shown.
  const there = wrong.flatMap((one) => {
    const photo = project!.photo(hashes[one.index]!);
    return photo ? [{ ...one, photo }] : [];
  });
  if (there.length === 0) {
    return html`
      <h3>What it gets wrong</h3>
      <p>None of the photos that were held out.</p>
    `;
  }
  return html`
    <h3>${there.length > MAX_WRONG
      ? `The ${MAX_WRONG} worst of ${there.length} wrong`
      : "What it gets wrong"}</h3>
    <p class="waiting">Correct a label, or delete a bad photo: it is taught again at once.</p>
    <ul class="wrong">
      ${repeat(
        there.slice(0, MAX_WRONG),
        ({ photo }) => photo.hash,
        (one) => wrongPhoto(teaching, one),
      )}
    </ul>
  `;
}

function wrongPhoto(
  teaching: Teaching,
  { predicted, score, photo }: WrongPhoto & {
    photo: { hash: string; name: string; classId: string };
  },
): TemplateResult {
  const { hash, name, classId } = photo;
  const url = teaching.thumbnails.url(teaching.project!, hash);
  const { classes } = teaching.project!;
  return html`
    <li>
      ${url ? html`<img src=${url} alt=${name}>` : html`<span class="empty"></span>`}
      <div>
        <p>taken for <strong>${predicted}</strong>, ${percent(score)}</p>
        <label>
          It is
          <select
            aria-label="The class of ${name}"
            ?disabled=${teaching.isFitting}
            .value=${classId}
            @change=${({ target }: Event) =>
              teaching.movePhotos([hash], (target as HTMLSelectElement).value)}
          >
            ${classes.map(({ id, name }) =>
              html`<option value=${id} ?selected=${id === classId}>${name}</option>`
            )}
          </select>
        </label>
        <button type="button" class="plain" @click=${() => teaching.deletePhotos([hash])}>
          Delete<span class="hidden"> ${name}</span>
        </button>
      </div>
    </li>
  `;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
