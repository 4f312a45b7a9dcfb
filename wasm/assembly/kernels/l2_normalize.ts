/** The least norm that is divided by, as in `torch.nn.functional.normalize`. */
const EPSILON: f64 = 1e-12;

/**
 * out = x / n with n = max(‖x‖₂, 1e-12), for rows `start` to `end` - 1.
 *
 * @param x f32 [rows][width], `stride` bytes apart; `out` likewise
 * @param scales f32 [rows], 1 / n
 */
export function l2Normalize(
  x: usize,
  stride: usize,
  start: i32,
  end: i32,
  width: i32,
  out: usize,
  scales: usize,
): void {
  for (let row = start; row < end; row++) {
    const from = x + row * stride;
    const to = out + row * stride;
    let square: f64 = 0;
    for (let i = 0; i < width; i++) {
      const number: f64 = load<f32>(from + 4 * i);
      square += number * number;
    }
    const scale = 1 / max(sqrt(square), EPSILON);
    store<f32>(scales + 4 * row, <f32>scale);
    for (let i = 0; i < width; i++) {
      store<f32>(to + 4 * i, <f32>(<f64>load<f32>(from + 4 * i) * scale));
    }
  }
}

/**
 * The backward of {@linkcode l2Normalize}: dx = (dy - y (y · dy)) / n, for rows `start` to `end` - 1.
 *
 * @param y f32 [rows][width], the outputs of the forward, `stride` bytes apart
 * @param scales f32 [rows], 1 / n
 * @param dy f32 [rows][width], `stride` bytes apart; `dx` likewise, may be the same
 */
export function l2NormalizeBackward(
  y: usize,
  stride: usize,
  start: i32,
  end: i32,
  width: i32,
  scales: usize,
  dy: usize,
  dx: usize,
): void {
  for (let row = start; row < end; row++) {
    const at = row * stride;
    let along: f64 = 0;
    for (let i = 0; i < width; i++) {
      along += <f64>load<f32>(y + at + 4 * i) * <f64>load<f32>(dy + at + 4 * i);
    }
    const scale: f64 = load<f32>(scales + 4 * row);
    for (let i = 0; i < width; i++) {
      const rest = <f64>load<f32>(dy + at + 4 * i) - <f64>load<f32>(y + at + 4 * i) * along;
      store<f32>(dx + at + 4 * i, <f32>(rest * scale));
    }
  }
}
