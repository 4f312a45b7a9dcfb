import { html, nothing, type TemplateResult } from "lit-html";
import type { Teaching } from "./teaching.ts";

/** What was done at last, and a way back. */
export function noticeBar(teaching: Teaching): TemplateResult {
  const { notice } = teaching;
  return html`
    <div class="notice ${notice ? "shown" : ""} ${notice?.isError ? "bad" : ""}">
      <span role=${notice?.isError ? "alert" : "status"}>${notice?.text}</span>
      ${notice?.undo
        ? html`
          <button
            type="button"
            @click=${() => {
              teaching.say(undefined);
              void teaching.do(notice.undo!);
            }}
          >Undo</button>
        `
        : nothing}
      ${notice
        ? html`
          <button type="button" class="plain" @click=${() => teaching.say(undefined)}>
            Close<span class="hidden"> this message</span>
          </button>
        `
        : nothing}
    </div>
  `;
}
