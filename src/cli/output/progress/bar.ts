const BAR_WIDTH = 30;

/** A progress bar for a share between 0 and 1. */
export function drawBar(share: number): string {
  const filled = Math.round(BAR_WIDTH * Math.min(share, 1));
  return "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
}

/** Formats a duration in seconds as m:ss. */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
