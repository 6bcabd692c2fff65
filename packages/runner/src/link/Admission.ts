import { Context, Effect, Latch, Layer } from "effect"

/** Whether nodes let this runner in, as far as it has heard: what a revoked runner still has, nobody takes. */
export class Admission extends Context.Service<
  Admission,
  {
    readonly heard: (isLetIn: boolean) => void
    /** Done as soon as, and as long as, its credential is revoked. */
    readonly revoked: Effect.Effect<void>
  }
>()("runner/Admission") {
  static readonly layer = Layer.sync(Admission, () => {
    const closed = Latch.makeUnsafe(false)
    return {
      heard: (isLetIn) => void (isLetIn ? closed.closeUnsafe() : closed.openUnsafe()),
      revoked: Effect.asVoid(closed.await)
    }
  })
}
