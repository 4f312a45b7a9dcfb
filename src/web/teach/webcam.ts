/// <reference lib="dom" />

/** The visitor's camera, while it is on. */
export class Webcam {
  /** Its picture, to be put into the page: a second element of the same stream could stay black. */
  readonly video: HTMLVideoElement = document.createElement("video");
  readonly #stream: MediaStream;

  private constructor(stream: MediaStream) {
    this.#stream = stream;
    this.video.srcObject = stream;
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.autoplay = true;
    this.video.ariaLabel = "What the camera sees";
  }

  /**
   * Turns the camera on, after the browser has asked the visitor.
   *
   * @throws {Error} if there is none, or the visitor forbids it.
   */
  static async open(): Promise<Webcam> {
    if (!navigator.mediaDevices) {
      throw new Error("Cannot use a camera: the browser allows it only on https pages");
    }
    try {
      const video = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "environment" };
      const webcam = new Webcam(await navigator.mediaDevices.getUserMedia({ video }));
      await webcam.video.play();
      return webcam;
    } catch (error) {
      const { name, message } = error as DOMException;
      const why = name === "NotAllowedError"
        ? "it is forbidden for this page; allow it in the browser's address bar"
        : name === "NotFoundError"
        ? "there is none"
        : message;
      throw new Error(`Cannot use a camera: ${why}`, { cause: error });
    }
  }

  /** What it sees now. */
  frame(): Promise<ImageBitmap> {
    return createImageBitmap(this.video);
  }

  /** Turns it off. */
  close(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }
}
