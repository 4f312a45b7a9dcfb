/// <reference lib="dom" />
import { html, type TemplateResult } from "lit-html";
import type { AttentionChoice, ImageAttentions } from "../../mod.ts";
import { smallMap } from "./small_map.ts";

/** Which map: a block, and a head, the mean, or the rollout up to that block. */
export type MapChoice = Required<Pick<AttentionChoice, "layer" | "head" | "rollout">>;

/** All maps of a photo, a row a block; a click shows one on the photo. */
export function mapTable(
  attentions: ImageAttentions,
  chosen: MapChoice,
  choose: (choice: MapChoice) => void,
): TemplateResult {
  const { blocks, heads } = attentions;
  const columns = [
    ...Array.from({ length: heads }, (_, head) => ({ name: `Head ${head}`, head, rollout: false })),
    { name: "Mean", head: "mean" as const, rollout: false },
    { name: "Rollout", head: "mean" as const, rollout: true },
  ];
  return html`
    <div class="maps" tabindex="0" role="region" aria-label="All maps">
      <table>
        <thead>
          <tr>
            <th scope="col">Block</th>
            ${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${Array.from({ length: blocks }, (_, layer) =>
            html`
              <tr>
                <th scope="row">${layer}</th>
                ${columns.map(({ name, head, rollout }) => {
                  const choice = { layer, head, rollout };
                  return html`
                    <td>
                      <button
                        type="button"
                        aria-pressed=${isSame(choice, chosen)}
                        aria-label="Block ${layer}, ${name}"
                        @click=${() => choose(choice)}
                      >${smallMap(attentions, choice)}</button>
                    </td>
                  `;
                })}
              </tr>
            `)}
        </tbody>
      </table>
    </div>
  `;
}

function isSame(a: MapChoice, b: MapChoice): boolean {
  return a.layer === b.layer && a.head === b.head && a.rollout === b.rollout;
}
