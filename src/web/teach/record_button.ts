/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import type { ClassRecord } from "../store/records.ts";
import type { Teaching } from "./teaching.ts";

/** A button that records while it is held, by a pointer or by the space or enter key. */
export function recordButton(
  teaching: Teaching,
  { id, name }: ClassRecord,
): TemplateResult | typeof nothing {
  if (!teaching.webcam) return nothing;
  const isRecording = teaching.recording === id;
  const stop = () => {
    if (teaching.recording === id) teaching.stopRecording();
  };
  const isKey = ({ key }: KeyboardEvent) => key === " " || key === "Enter";
  return html`
    <button
      type="button"
      class="record ${isRecording ? "on" : ""}"
      aria-label="Hold to record photos of ${name}"
      @pointerdown=${(event: PointerEvent) => {
        if (event.button !== 0) return;
        (event.target as HTMLElement).setPointerCapture(event.pointerId);
        void teaching.record(id);
      }}
      @pointerup=${stop}
      @pointercancel=${stop}
      @blur=${stop}
      @contextmenu=${(event: Event) => event.preventDefault()}
      @keydown=${(event: KeyboardEvent) => {
        if (!isKey(event)) return;
        event.preventDefault(); // no click follows
        if (!event.repeat) void teaching.record(id);
      }}
      @keyup=${(event: KeyboardEvent) => {
        if (!isKey(event)) return;
        event.preventDefault();
        stop();
      }}
      @click=${({ detail }: MouseEvent) => {
        // Of a screen reader, which neither holds a pointer nor a key: one photo.
        if (detail !== 0) return;
        void teaching.record(id);
        stop();
      }}
    >${isRecording ? "Recording…" : "Hold to record"}</button>
  `;
}
