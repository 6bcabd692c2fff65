import { constants } from "node:os"
import { emitKeypressEvents } from "node:readline"
import type { ReadStream } from "node:tty"
import { inWords } from "../app/inWords.ts"
import { failureOf } from "../connection/failure.ts"
import { clientOf, type Reached } from "../connection/reach.ts"
import type { Key } from "../terminal/Editor.ts"
import { Screen } from "../terminal/Screen.ts"
import { Chat } from "./Chat.ts"
import { Conversation } from "./Conversation.ts"
import { press } from "./press.ts"
import type { TalkWanted } from "./TalkWanted.ts"
import { view } from "./view.ts"
import { tellChanges } from "../workingcopy/tellChanges.ts"
import { ourName } from "../app/NameConfig.ts"

const bracketedPaste = { on: "\u001B[?2004h", off: "\u001B[?2004l" }
const everyMs = 1_000

/** Hears keys one by one, while it is not paused. */
const keyboard = (input: ReadStream, onKey: (text: string | undefined, key: Key) => void) => {
  emitKeypressEvents(input)
  input.on("keypress", onKey)
  return {
    resume: () => {
      input.setRawMode(true)
      process.stdout.write(bracketedPaste.on)
      input.resume()
    },
    pause: () => {
      process.stdout.write(bracketedPaste.off)
      input.setRawMode(false)
      input.pause()
    }
  }
}

/** Signals that end a chat as a person would: the terminal is left as it was. */
const leavesOn = (leave: (signal: NodeJS.Signals) => void): Disposable => {
  const signals = ["SIGTERM", "SIGHUP"] as const
  for (const signal of signals) process.on(signal, leave)
  return { [Symbol.dispose]: () => signals.forEach((signal) => process.off(signal, leave)) }
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

/** A chat in a terminal, until the person leaves. Answers the exit code. */
export const interactive = async ({ first, isOnCopy, key, session, ...server }: TalkWanted): Promise<number> => {
  const screen = new Screen(process.stdout)
  const show = (kept: ReadonlyArray<string>) =>
    screen.show(kept, () => view(chat.model, screen.columns, screen.rows, Date.now()))
  const redraw = () => show([])
  let onTrouble: () => void = () => undefined
  const connection = { server, troupe: clientOf(server.url, key, "patient", () => onTrouble()) }
  const conversation = await Conversation.open(connection, session)
  const keys = keyboard(process.stdin, (text, key) => {
    const { intent, model } = press(chat.model, text, key)
    chat.change(model)
    if (intent !== null) void chat.want(intent)
  })
  const suspend = () => {
    screen.close()
    keys.pause()
    // All that the shell began with us stops here, and goes on here.
    process.kill(0, "SIGTSTP")
    keys.resume()
    redraw()
  }
  const chat = new Chat(connection, conversation, { columns: () => screen.columns, show, suspend })
  onTrouble = watched(connection, (notice) => chat.change({ notice }))
  let code = 0
  using _ = leavesOn((signal) => {
    code = 128 + constants.signals[signal]
    chat.leave()
  })
  const clock = setInterval(() => chat.model.workingSince !== null && redraw(), everyMs)
  process.stdout.on("resize", redraw)
  // Whoever stopped us otherwise has left the terminal in another mode.
  process.on("SIGCONT", keys.resume)
  try {
    keys.resume()
    if (first !== null) void chat.want({ _tag: "Send", text: first })
    await chat.run()
  } finally {
    clearInterval(clock)
    process.stdout.off("resize", redraw)
    process.off("SIGCONT", keys.resume)
    screen.close()
    keys.pause()
  }
  process.stderr.write(
    `The session goes on as ${chat.sessionId}. Come back to it: ${ourName} attach ${chat.sessionId}\n`
  )
  if (isOnCopy) {
    const say = (text: string) => void process.stderr.write(`${text}\n`)
    await tellChanges(connection.troupe, chat.sessionId, say)
  }
  return code
}

/** The same, in a process of its own. */
export const hold = async (wanted: TalkWanted): Promise<number> => {
  try {
    return await interactive(wanted)
  } catch (error) {
    const failure = failureOf(error, wanted)
    process.stderr.write(`${inWords(failure)}\n`)
    return failure.code
  }
}
