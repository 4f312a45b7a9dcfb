/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import { labelBars } from "../parts/label_bars.ts";
import type { Teaching } from "./teaching.ts";

/** The camera's picture, and what the classifier says about it. */
export function webcamPanel(teaching: Teaching): TemplateResult {
  const { webcam, prediction, taught } = teaching;
  return html`
    <section class="panel camera-panel ${webcam ? "on" : ""}" aria-labelledby="webcam">
      <h2 id="webcam">Camera</h2>
      ${webcam
        ? html`
          ${webcam.video}
          ${prediction ? html`<div class="prediction">${labelBars(prediction)}</div>` : html`
            <p class="waiting">
              ${taught
                ? "Looking…"
                : "Hold the button of a class to record photos, about eight a second."}
            </p>
          `}
        `
        : html`
          <p class="waiting">
            ${taught
              ? "Turn it on to try the classifier live, or to record more photos."
              : "Turn it on to record photos of a class."}
          </p>
        `}
      <p class="actions">
        <button type="button" @click=${() => teaching.toggleWebcam()}>
          ${webcam ? "Turn the camera off" : "Use the camera"}
        </button>
        ${prediction && !taught?.report.knowsUnknown
          ? html`<span class="waiting">Too few photos to answer “unknown”.</span>`
          : nothing}
      </p>
    </section>
  `;
}
