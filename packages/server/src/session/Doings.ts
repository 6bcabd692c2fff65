import { type Context, Effect, Exit, FiberMap, Scope } from "effect"

interface Begun {
  readonly scope: Scope.Closeable
  readonly fibers: FiberMap.FiberMap<string>
}

/** What goes on for a session, each thing under a name of its own. For most sessions in memory nothing does. */
export class Doings {
  private begun: Begun | null = null
  private ended = false
  private readonly context: Context.Context<never>

  constructor(context: Context.Context<never>) {
    this.context = context
  }

  has(name: string): boolean {
    return this.begun !== null && FiberMap.hasUnsafe(this.begun.fibers, name)
  }

  /** Begins something, and ends what went on under its name. */
  run(name: string, effect: Effect.Effect<void>): void {
    if (this.ended) return
    FiberMap.setUnsafe(this.begin().fibers, name, Effect.runForkWith(this.context)(effect))
  }

  /** Interrupts all that goes on. */
  stop(): void {
    if (this.begun !== null && !this.ended) for (const [, fiber] of this.begun.fibers) fiber.interruptUnsafe()
  }

  /** The same, waits for the end of it, and begins nothing any more. */
  end(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.ended = true
      return this.begun === null ? Effect.void : Scope.close(this.begun.scope, Exit.void)
    })
  }

  private begin(): Begun {
    if (this.begun === null) {
      const scope = Scope.makeUnsafe()
      this.begun = { scope, fibers: Effect.runSync(Scope.provide(FiberMap.make<string>(), scope)) }
    }
    return this.begun
  }
}
