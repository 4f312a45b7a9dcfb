// A thread of the engine; a file of its own, because workers start from addresses.
import "../runtime/simd/worker.ts";
