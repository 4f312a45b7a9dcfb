/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "./app.ts";
import { takeFiles } from "./parts/take_files.ts";
import { ClassCards } from "./teach/class_cards.ts";
import { downloads } from "./teach/downloads.ts";
import { noticeBar } from "./teach/notice_bar.ts";
import { details, summary } from "./teach/report_view.ts";
import { Teaching } from "./teach/teaching.ts";
import { webcamPanel } from "./teach/webcam_panel.ts";
import { workLine } from "./teach/work_line.ts";
import type { View } from "./view.ts";

/** Makes a classifier of a few photos a class. */
export class TeachView implements View {
  readonly #cards = new ClassCards();
  #end = () => {};

  open(app: App): void {
    const teaching = Teaching.of(app);
    void teaching.open();
    this.#end = takeFiles((files) => {
      const { project, currentClass } = teaching;
      const target = project?.classes.find(({ id }) => id === currentClass) ?? project?.classes[0];
      if (target) void teaching.addFiles(target.id, files);
      else {teaching.say({
          text: "Make a class first: photos are added to a class.",
          isError: true,
        });}
    });
  }

  close(app: App): void {
    this.#end();
    const teaching = Teaching.of(app);
    teaching.closeWebcam();
    teaching.say(undefined);
  }

  render(app: App): TemplateResult {
    const teaching = Teaching.of(app);
    void teaching.followModel();
    const { project, taught } = teaching;
    return html`
      <div class="teach">
        <section aria-labelledby="classes">
          <h2 id="classes">Classes</h2>
          ${teaching.notKept ? html`<p class="error">${teaching.notKept}</p>` : nothing}
          ${project ? nothing : html`<p class="waiting">Opening the project…</p>`}
          <ul class="classes">
            ${repeat(
              project?.classes ?? [],
              ({ id }) => id,
              (record) => this.#cards.render(teaching, record),
            )}
          </ul>
          ${project?.classes.length === 0
            ? html`
              <ol class="steps-to-do">
                <li>Make two classes or more, such as “cup” and “plate”.</li>
                <li>Add about five photos to each: files, or from the camera.</li>
                <li>Press Teach: in a second, you have a classifier, and know how good it is.</li>
              </ol>
            `
            : nothing}
          ${project ? newClass(teaching) : nothing}
        </section>
        <div class="side">
          ${webcamPanel(teaching)}
          <section class="panel" aria-labelledby="teach">
            <h2 id="teach">Teach</h2>
            ${fitting(teaching)}
          </section>
          ${taught ? summary(teaching, taught) : nothing}
          ${downloads(teaching)}
        </div>
        ${taught ? details(teaching, taught) : nothing}
      </div>
      ${noticeBar(teaching)}
    `;
  }
}

function newClass(teaching: Teaching): TemplateResult {
  return html`
    <form
      class="row new-class"
      @submit=${async (event: SubmitEvent) => {
        event.preventDefault();
        const form = event.target as HTMLFormElement;
        const input = form.elements.namedItem("name") as HTMLInputElement;
        await teaching.addClass(input.value);
        if (!teaching.notice?.isError) input.value = "";
        input.focus();
      }}
    >
      <input name="name" aria-label="Name of a new class" placeholder="New class" autocomplete="off">
      <button>Add class</button>
    </form>
  `;
}

function fitting(teaching: Teaching): TemplateResult {
  const { missing: { canFit, advice }, isFitting, isOutdated, taught, work, project } = teaching;
  return html`
    <p class="advice">${advice ||
      (taught && !isOutdated
        ? "The classifier knows all photos. Add more, or correct it below."
        : "There are enough photos.")}</p>
    <p class="actions">
      <button
        type="button"
        class="main"
        ?disabled=${!canFit || isFitting || !!work || !teaching.app.model}
        @click=${() => teaching.fit()}
      >${taught && isOutdated ? "Teach again" : "Teach"}</button>
      ${isOutdated && !isFitting
        ? html`<span class="waiting">Photos have changed since it was taught.</span>`
        : nothing}
    </p>
    ${workLine(
      isFitting ? { what: `Fitting a classifier on ${project?.photos.length} photos` } : work,
    )}
  `;
}
