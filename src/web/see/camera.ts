/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";

/** Takes photos with the camera. */
export class Camera {
  readonly #changed: () => void;
  readonly #take: (files: readonly File[]) => void;
  #stream: MediaStream | undefined;
  #error: string | undefined;
  #video: HTMLVideoElement | undefined;
  #count = 0;

  /** @param changed is called when it looks otherwise; `take` gets each photo. */
  constructor(changed: () => void, take: (files: readonly File[]) => void) {
    this.#changed = changed;
    this.#take = take;
  }

  /** The button, and the picture while the camera is on. */
  render(): TemplateResult {
    if (!navigator.mediaDevices) return html``;
    if (!this.#stream) {
      return html`
        <p class="camera">
          <button type="button" @click=${() => this.#start()}>Use the camera</button>
          ${this.#error ? html`<span class="error" role="alert">${this.#error}</span>` : nothing}
        </p>
      `;
    }
    return html`
      <div class="camera on">
        <video
          ${ref((video) => this.#show(video as HTMLVideoElement | undefined))}
          autoplay
          playsinline
          .muted=${true}
          aria-label="The camera's picture"
        ></video>
        <p class="actions">
          <button type="button" class="main" @click=${() => this.#shoot()}>Take a photo</button>
          <button type="button" @click=${() => this.stop()}>Turn the camera off</button>
        </p>
      </div>
    `;
  }

  /** Turns the camera off. */
  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#changed();
  }

  async #start(): Promise<void> {
    this.#error = undefined;
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment" },
      });
    } catch (error) {
      this.#error = `Cannot use the camera: ${(error as Error).message}`;
    }
    this.#changed();
  }

  #show(video: HTMLVideoElement | undefined): void {
    this.#video = video;
    if (video && this.#stream && video.srcObject !== this.#stream) video.srcObject = this.#stream;
  }

  async #shoot(): Promise<void> {
    const video = this.#video;
    if (!video?.videoWidth) return;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext("2d")!.drawImage(video, 0, 0);
    const file = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
    this.#take([new File([file], `camera ${++this.#count}.jpg`, { type: "image/jpeg" })]);
  }
}
