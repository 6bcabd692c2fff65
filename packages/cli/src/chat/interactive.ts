import { emitKeypressEvents } from "node:readline"
import type { ReadStream } from "node:tty"
import { failureOf } from "../connection/failure.ts"
import { clientOf, type Reached } from "../connection/reach.ts"
import type { Key } from "../terminal/Editor.ts"
import { Screen } from "../terminal/Screen.ts"
import { Chat } from "./Chat.ts"
import { Conversation } from "./Conversation.ts"
import type { Model } from "./Model.ts"
import { press } from "./press.ts"
import type { TalkWanted } from "./TalkWanted.ts"
import { view } from "./view.ts"

const bracketedPaste = { on: "\u001B[?2004h", off: "\u001B[?2004l" }
const everyMs = 1_000

/** Reads keys one by one for as long as it is used. */
const keys = (input: ReadStream, onKey: (text: string | undefined, key: Key) => void): Disposable => {
  emitKeypressEvents(input)
  input.setRawMode(true)
  process.stdout.write(bracketedPaste.on)
  input.on("keypress", onKey)
  input.resume()
  return {
    [Symbol.dispose]: () => {
      input.off("keypress", onKey)
      process.stdout.write(bracketedPaste.off)
      input.setRawMode(false)
      input.pause()
    }
  }
}

/** Tells of a connection that broke, since a session that says nothing looks the same. */
const watched = (connection: Reached, say: (notice: string | null) => void) => {
  let isAsking = false
  return () => {
    if (isAsking) return
    isAsking = true
    say(`The connection to ${connection.server.url} broke; nothing is lost, it is tried again.`)
    connection.troupe.access
      .me()
      .then(() => say(null))
      .catch(() => undefined)
      .finally(() => {
        isAsking = false
      })
  }
}

/** A chat in a terminal. Ends when the person leaves. */
export const interactive = async ({ first, key, session, ...server }: TalkWanted): Promise<void> => {
  const screen = new Screen(process.stdout)
  const draw = (kept: ReadonlyArray<string>, model: Model) =>
    screen.show(kept, view(model, screen.columns, screen.rows, Date.now()))
  let onTrouble: () => void = () => undefined
  const connection = { server, troupe: clientOf(server.url, key, "patient", () => onTrouble()) }
  const conversation = await Conversation.open(connection, session)
  const chat = new Chat(connection, conversation, { columns: () => screen.columns, show: draw })
  onTrouble = watched(connection, (notice) => chat.change({ notice }))
  using _ = keys(process.stdin, (text, key) => {
    const { intent, model } = press(chat.model, text, key)
    chat.change(model)
    if (intent !== null) void chat.want(intent)
  })
  const redraw = () => draw([], chat.model)
  const clock = setInterval(() => chat.model.workingSince !== null && redraw(), everyMs)
  process.stdout.on("resize", redraw)
  try {
    if (first !== null) void chat.want({ _tag: "Send", text: first })
    await chat.run()
  } finally {
    clearInterval(clock)
    process.stdout.off("resize", redraw)
    screen.close()
  }
  process.stderr.write(`The session goes on as ${chat.sessionId}. Come back to it: troupe attach ${chat.sessionId}\n`)
}

/** The same, in a process of its own. Answers the exit code. */
export const hold = async (wanted: TalkWanted): Promise<number> => {
  try {
    await interactive(wanted)
    return 0
  } catch (error) {
    const { advice, code, what } = failureOf(error, wanted)
    process.stderr.write(`${advice === null ? what : `${what}\n${advice}`}\n`)
    return code
  }
}
