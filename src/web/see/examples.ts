/// <reference lib="dom" />
import { html, type TemplateResult } from "lit-html";

/** The drawn photos that the build puts into `examples/`; their names say what they show. */
const EXAMPLES = [
  "ship",
  "frog",
  "automobile",
  "horse",
  "airplane",
  "bird",
  "deer",
  "dog",
  "truck",
] as const;

/** Photos to click on for those who have none. */
export function examples(take: (files: readonly File[]) => void): TemplateResult {
  const open = async (name: string) => {
    const response = await fetch(address(name));
    take([new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" })]);
  };
  return html`
    <section class="examples" aria-labelledby="examples">
      <h2 id="examples">No photo at hand? Try one of these drawings</h2>
      <ul>
        ${EXAMPLES.map((name, i) =>
          html`
            <li>
              <button type="button" @click=${() => open(name)}>
                <img src=${address(name)} alt="Example ${i + 1}: ${name}" width="96" height="96">
              </button>
            </li>
          `
        )}
      </ul>
    </section>
  `;
}

function address(name: string): string {
  return `examples/${name}.jpg`;
}
