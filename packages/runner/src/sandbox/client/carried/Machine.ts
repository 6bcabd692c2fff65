import type { SandboxSession } from "@openai/agents/sandbox"
import { Effect, Schedule } from "effect"
import { randomBytes } from "node:crypto"
import { gunzipSync, gzipSync } from "node:zlib"
import type { SandboxError } from "../../Sandbox.ts"
import { failure } from "../../SandboxFailure.ts"
import { pageBytes, plainBytes, requestOf, type Setup, setupScript } from "./machineScript.ts"

/** A machine that is elsewhere: it is asked through its client, and shares nothing with this host. */
export interface Machine {
  /** What it answers, in pages. */
  readonly ask: (...words: ReadonlyArray<string>) => Effect.Effect<Buffer, SandboxError>
  /** The same, page by page: what is large is not held whole. */
  readonly askInPages: (
    words: ReadonlyArray<string>,
    take: (page: Buffer) => void,
    bytesMax?: number
  ) => Effect.Effect<void, SandboxError>
  /** Makes a file of ours in the machine. */
  readonly put: (name: string, pieces: Iterable<Uint8Array>) => Effect.Effect<void, SandboxError>
}

export interface MachineOptions extends Omit<Setup, "nonce"> {
  readonly backend: string
  readonly session: SandboxSession
}

/** The kernel takes 128 KiB as one argument, and clients add to what they are given. */
export const textMax = 90_000
const yieldMs = 30_000
const triesMax = 3
/** More than any tree's list of changes that one would wait for. */
const answerBytesMax = 64 * 1_048_576

export const makeMachine = Effect.fnUntraced(function* (
  options: MachineOptions
): Effect.fn.Return<Machine, SandboxError> {
  const { backend, place, session } = options
  const fail = failure(backend)
  const lost = (said: string) =>
    fail({ _tag: "Failed", detail: `its machine does not answer: ${said.trim().slice(0, 500)}` })

  const say = (cmd: string) =>
    Effect.tryPromise({
      try: () => runInClient(session, cmd),
      catch: (cause) => lost(cause instanceof Error ? cause.message : String(cause))
    })

  const mark = () => randomBytes(9).toString("hex")

  const nonce = mark()
  const setup = yield* say(setupScript({ ...options, nonce }))
  const found = new RegExp(`<${nonce} ([^>]*)>`).exec(setup)?.[1]
  if (found === undefined) return yield* lost(setup)
  if (found !== "ready") return yield* fail({ _tag: "Unusable", detail: troubleOf(found, options) })

  /** One page, and how much the whole answer is. */
  const request = Effect.fnUntraced(function* (words: ReadonlyArray<string>) {
    const own = mark()
    const said = yield* say(requestOf(place, [own, ...words]))
    const answer = new RegExp(`<${own} (\\S+) (\\S+) ([A-Za-z0-9+/=\\s]*)>`).exec(said)
    if (answer === null) return yield* lost(said)
    const [, id = "", size = "", text = ""] = answer
    const page = yield* Effect.try({
      try: () => gunzipSync(Buffer.from(text, "base64"), { maxOutputLength: pageBytes }),
      catch: () => lost("an answer can't be read")
    })
    return { id, size: Number(size), page }
  })

  const askInPages: Machine["askInPages"] = Effect.fnUntraced(function* (words, take, bytesMax = answerBytesMax) {
    const { id, page, size } = yield* request(words)
    take(page)
    if (size <= plainBytes) return
    if (!(size <= bytesMax)) return yield* lost(`an answer of ${size} bytes, and at most ${bytesMax} are taken`)
    for (let at = page.length; at < size;) {
      const next = yield* Effect.retry(request(["page", id, String(at)]), again)
      if (next.page.length === 0) return yield* lost("an answer broke off")
      take(next.page)
      at += next.page.length
    }
    yield* request(["done", id])
  })

  const ask: Machine["ask"] = (...words) =>
    Effect.suspend(() => {
      const pages: Array<Buffer> = []
      return Effect.map(
        askInPages(words, (page) => pages.push(page)),
        () => Buffer.concat(pages)
      )
    })

  const put: Machine["put"] = Effect.fnUntraced(function* (name, pieces) {
    let how = "new"
    for (const text of texts(pieces)) {
      yield* request(["put", name, how, text])
      how = "more"
    }
    if (how === "new") yield* request(["put", name, how, ""])
  })

  return { ask, askInPages, put }
})

const again = { schedule: Schedule.exponential(200), times: triesMax }

/** In base64, as much at a time as a command takes. */
function* texts(pieces: Iterable<Uint8Array>): Generator<string> {
  const most = (textMax / 4) * 3
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += most) {
      yield Buffer.from(piece.subarray(at, at + most)).toString("base64")
    }
  }
}

/** Pieces of a stream, packed each by itself: what is put together of them is packed, too. */
export function* packed(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let held: Array<Uint8Array> = []
  let bytes = 0
  for (const piece of pieces) {
    held.push(piece)
    bytes += piece.length
    if (bytes < 262_144) continue
    yield gzipSync(Buffer.concat(held), { level: 1 })
    held = []
    bytes = 0
  }
  yield gzipSync(Buffer.concat(held), { level: 1 })
}

const troubleOf = (said: string, { directories }: MachineOptions): string => {
  if (said.startsWith("missing")) return `its machine lacks${said.slice("missing".length)}`
  return said === "directories"
    ? `its user can't make ${directories.map(({ path }) => path).join(", ")} in its machine: they have to be there, and its own`
    : said
}

/** Runs a command to its end, and answers all that was printed. */
const runInClient = async (session: SandboxSession, cmd: string): Promise<string> => {
  const args = { cmd, shell: "/bin/sh", login: false, yieldTimeMs: yieldMs }
  if (session.exec === undefined) return await session.execCommand!(args)
  const result = await session.exec(args)
  let { sessionId } = result
  let said = result.stdout === "" ? result.output : result.stdout
  while (sessionId !== undefined && session.writeStdin !== undefined) {
    const more = await session.writeStdin({ sessionId, chars: "", yieldTimeMs: yieldMs })
    said += more.slice(more.indexOf("Output:\n") + "Output:\n".length)
    if (!/^Process running with session ID/m.test(more)) sessionId = undefined
  }
  return said
}
