/** Milliseconds for people: `8.3 ms`, `120 ms`, `2.1 s`. */
export function milliseconds(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value >= 20 ? value.toFixed(0) : value.toFixed(1)} ms`;
}
