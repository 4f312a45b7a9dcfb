// A product of matrices in double precision, in WebAssembly SIMD (AssemblyScript). Multiplications and
// additions are separate, so that the result has the same bits on every processor.

/** Columns of a panel: two vectors. */
const PANEL: i32 = 4;
/** Rows of a tile: with two vectors of b, ten sums and one number of a, V8 has enough registers. */
const TILE_ROWS: i32 = 5;
const BYTES: usize = 8;

/**
 * c [m, n] = a [m, k] · b [k, n], all row by row; `n` is a multiple of 4.
 *
 * @param panel a place for 4 k numbers.
 */
export function matmul(a: usize, b: usize, c: usize, m: i32, k: i32, n: i32, panel: usize): void {
  for (let column = 0; column < n; column += PANEL) {
    // Four columns of b side by side: what each tile reads is small and without gaps.
    const stride = BYTES * n;
    for (let i = 0, from = b + BYTES * column; i < k; i++, from += stride) {
      const to = panel + BYTES * PANEL * i;
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    }
    const out = c + BYTES * column;
    let row = 0;
    for (; row + TILE_ROWS <= m; row += TILE_ROWS) {
      fiveRows(a + BYTES * row * k, panel, out + stride * row, k, stride);
    }
    for (; row < m; row++) oneRow(a + BYTES * row * k, panel, out + stride * row, k);
  }
}

function fiveRows(a: usize, panel: usize, c: usize, k: i32, stride: usize): void {
  const row = BYTES * k;
  let a0 = f64x2.splat(0), a1 = f64x2.splat(0);
  let b0 = f64x2.splat(0), b1 = f64x2.splat(0);
  let c0 = f64x2.splat(0), c1 = f64x2.splat(0);
  let d0 = f64x2.splat(0), d1 = f64x2.splat(0);
  let e0 = f64x2.splat(0), e1 = f64x2.splat(0);
  for (const end = a + row; a < end; a += BYTES, panel += BYTES * PANEL) {
    const p0 = v128.load(panel);
    const p1 = v128.load(panel, 16);
    let x = v128.load64_splat(a);
    a0 = f64x2.add(a0, f64x2.mul(x, p0));
    a1 = f64x2.add(a1, f64x2.mul(x, p1));
    x = v128.load64_splat(a + row);
    b0 = f64x2.add(b0, f64x2.mul(x, p0));
    b1 = f64x2.add(b1, f64x2.mul(x, p1));
    x = v128.load64_splat(a + 2 * row);
    c0 = f64x2.add(c0, f64x2.mul(x, p0));
    c1 = f64x2.add(c1, f64x2.mul(x, p1));
    x = v128.load64_splat(a + 3 * row);
    d0 = f64x2.add(d0, f64x2.mul(x, p0));
    d1 = f64x2.add(d1, f64x2.mul(x, p1));
    x = v128.load64_splat(a + 4 * row);
    e0 = f64x2.add(e0, f64x2.mul(x, p0));
    e1 = f64x2.add(e1, f64x2.mul(x, p1));
  }
  put(c, a0, a1);
  put(c + stride, b0, b1);
  put(c + 2 * stride, c0, c1);
  put(c + 3 * stride, d0, d1);
  put(c + 4 * stride, e0, e1);
}

function oneRow(a: usize, panel: usize, c: usize, k: i32): void {
  let s0 = f64x2.splat(0), s1 = f64x2.splat(0);
  for (const end = a + BYTES * k; a < end; a += BYTES, panel += BYTES * PANEL) {
    const x = v128.load64_splat(a);
    s0 = f64x2.add(s0, f64x2.mul(x, v128.load(panel)));
    s1 = f64x2.add(s1, f64x2.mul(x, v128.load(panel, 16)));
  }
  put(c, s0, s1);
}

// @ts-ignore: decorator
@inline
function put(c: usize, left: v128, right: v128): void {
  v128.store(c, left);
  v128.store(c, right, 16);
}
