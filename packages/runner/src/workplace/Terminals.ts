import type { TerminalOutput } from "@troupe/domain/runner/Workplace"
import { Effect, Exit, Latch, Schema, Scope, Stream } from "effect"
import { randomUUID } from "node:crypto"
import type { Ending, Process, Sandbox, SandboxError } from "../sandbox/Sandbox.ts"
import { Scrollback } from "./Scrollback.ts"

export class TerminalGone extends Schema.TaggedError<TerminalGone>()("TerminalGone", { terminalId: Schema.String }) {
  override get message() {
    return `There is no terminal ${this.terminalId}`
  }
}

export class TooManyTerminals extends Schema.TaggedError<TooManyTerminals>()("TooManyTerminals", {
  max: Schema.Int
}) {
  override get message() {
    return `A session has ${this.max} terminals at most: close one first`
  }
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

interface Terminal {
  readonly process: Process
  readonly scrollback: Scrollback
  readonly scope: Scope.Closeable
  news: Latch.Latch
  ended: Ending | null
}

const terminalsMax = 16
const scrollbackBytes = 256 * 1_024
const chunkBytes = 32 * 1_024

/**
 * Terminals of a session. A terminal lives until it is closed or its program ends, whether somebody looks at it or not: a
 * reader that comes back goes on where it was, as far as that is still kept.
 */
export interface Terminals {
  readonly open: (
    sandbox: Sandbox,
    size: Size,
    cwd: string | null
  ) => Effect.Effect<string, SandboxError | TooManyTerminals>
  readonly read: (terminalId: string, after: number) => Stream.Stream<typeof TerminalOutput.Type, TerminalGone>
  readonly write: (terminalId: string, bytes: Uint8Array) => Effect.Effect<void, TerminalGone | SandboxError>
  readonly resize: (terminalId: string, size: Size) => Effect.Effect<void, TerminalGone>
  readonly close: (terminalId: string) => Effect.Effect<void, TerminalGone>
  readonly count: () => number
}

/** The shell of whoever opens one: the login shell is not known in a sandbox, and bash may be missing. */
const shell = ["/bin/sh", "-c", "if command -v bash >/dev/null; then exec bash -i; else exec sh -i; fi"] as const

export const make: Effect.Effect<Terminals, never, Scope.Scope> = Effect.gen(function* () {
  const place = yield* Effect.scope
  const terminals = new Map<string, Terminal>()

  const find = (terminalId: string): Effect.Effect<Terminal, TerminalGone> =>
    Effect.suspend(() => {
      const found = terminals.get(terminalId)
      return found === undefined ? Effect.fail(new TerminalGone({ terminalId })) : Effect.succeed(found)
    })

  const tell = (terminal: Terminal): void => {
    const { news } = terminal
    terminal.news = Latch.makeUnsafe(false)
    news.openUnsafe()
  }

  const follow = Effect.fnUntraced(function* (terminal: Terminal) {
    yield* Stream.runForEach(terminal.process.output, ({ bytes }) =>
      Effect.sync(() => {
        terminal.scrollback.add(bytes)
        tell(terminal)
      })
    )
    terminal.ended = yield* terminal.process.ending
    tell(terminal)
    // What is left of it is what it showed.
    yield* Scope.close(terminal.scope, Exit.void)
  })

  const open: Terminals["open"] = Effect.fnUntraced(function* (sandbox, { columns, rows }, cwd) {
    // Those that have ended are kept to be read, as long as nobody needs the room.
    for (const [id, { ended }] of terminals) {
      if (terminals.size >= terminalsMax && ended !== null) terminals.delete(id)
    }
    if (terminals.size >= terminalsMax) return yield* new TooManyTerminals({ max: terminalsMax })
    const scope = yield* Scope.fork(place)
    const request = { command: shell, terminal: { columns, rows }, input: true, ...(cwd === null ? {} : { cwd }) }
    const process = yield* sandbox.exec(request).pipe(
      Scope.provide(scope),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
    const terminal: Terminal = {
      process,
      scope,
      scrollback: new Scrollback(scrollbackBytes),
      news: Latch.makeUnsafe(false),
      ended: null
    }
    const terminalId = `term_${randomUUID().replaceAll("-", "")}`
    terminals.set(terminalId, terminal)
    yield* Effect.forkIn(follow(terminal), place)
    return terminalId
  })

  const read: Terminals["read"] = (terminalId, after) =>
    Stream.unwrap(
      Effect.map(find(terminalId), (terminal) => {
        const next = (
          offset: number | null
        ): Effect.Effect<readonly [typeof TerminalOutput.Type, number | null] | undefined> =>
          Effect.suspend(() => {
            if (offset === null) return Effect.succeed(undefined)
            const { news, scrollback } = terminal
            const found = scrollback.after(offset, chunkBytes)
            if (found.bytes.length > 0) {
              return Effect.succeed([{ _tag: "Output", ...found }, found.offset + found.bytes.length])
            }
            if (terminal.ended !== null) return Effect.succeed([{ _tag: "Ended", ending: terminal.ended }, null])
            return Effect.flatMap(news.await, () => next(offset))
          })
        return Stream.unfold(after as number | null, next).pipe(Stream.rechunk(1))
      })
    )

  return {
    open,
    read,
    write: (id, bytes) =>
      Effect.flatMap(find(id), ({ ended, process }) => (ended === null ? process.write(bytes) : Effect.void)),
    resize: (id, { columns, rows }) => Effect.flatMap(find(id), ({ process }) => process.resize(columns, rows)),
    close: (id) =>
      Effect.flatMap(find(id), (terminal) => {
        terminals.delete(id)
        return Scope.close(terminal.scope, Exit.void)
      }),
    count: () => terminals.size
  }
})
