import { Context, Layer } from "effect"
import type { Harness } from "./Harness.ts"

/** The harnesses that this runner has, by name. */
export class Harnesses extends Context.Service<Harnesses, { readonly all: ReadonlyArray<Harness> }>()(
  "runner/Harnesses"
) {
  static readonly layer = (...all: ReadonlyArray<Harness>): Layer.Layer<Harnesses> => Layer.succeed(Harnesses, { all })
}
