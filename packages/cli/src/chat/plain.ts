import { createInterface } from "node:readline"
import type { Troupe } from "@troupe/client"
import { mentionedIn, withAttachments } from "../attachments/withAttachments.ts"
import { failureAdvice } from "../session/failureAdvice.ts"
import { follow } from "../session/follow.ts"
import { inputLine } from "../session/toolLine.ts"
import { type Outcome, Transcript } from "../session/Transcript.ts"
import { clean } from "../terminal/clean.ts"
import { entitle } from "../session/title.ts"
import { outcomeJson } from "../session/outcomeJson.ts"
import { resultLine } from "./resultLine.ts"
import { ourName } from "../app/NameConfig.ts"

const say = (text: string) => void process.stderr.write(`${clean(text)}\n`)

interface Line {
  readonly line: string
  readonly isTyped: boolean
}

async function* linesAfter(first: string | null): AsyncGenerator<Line> {
  if (first !== null) yield { line: first, isTyped: true }
  const rest = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of rest) yield { line, isTyped: false }
}

/** A chat in lines: each that comes is said, one after the other, and the answers are printed, or each as an object of JSON. */
export const plain = async (
  troupe: Troupe,
  sessionId: string,
  first: string | null,
  isJson: boolean
): Promise<Outcome["_tag"] | "Interrupted"> => {
  const session = troupe.session(sessionId)
  const transcript = new Transcript({
    text: (piece) => void (isJson || process.stdout.write(piece)),
    tool: ({ input, name }) => say(`· ${name} ${inputLine(input)}`),
    result: (_, result) => say(resultLine(result))
  })
  let outcome: Outcome["_tag"] | "Interrupted" = "Completed"
  let isEntitled = false
  for await (const { isTyped, line } of linesAfter(first)) {
    if (line.trim() === "") continue
    if (!isEntitled) void entitle(session, line)
    isEntitled = true
    const before = transcript.text.length
    // What comes through a pipe names no files of this host: the command line alone does.
    const files = isTyped ? mentionedIn(line) : []
    const content = await withAttachments(troupe, line, files, say)
    outcome = await follow(session, content, transcript, say)
    const { error } = transcript
    const text = transcript.text.slice(before)
    if (isJson) process.stdout.write(`${outcomeJson({ session: session.id, outcome, text, error })}\n`)
    if (transcript.error !== null) say(failureAdvice(transcript))
    transcript.error = null
    if (outcome !== "Completed") break
  }
  if (outcome === "Waits") say(`Session ${session.id} waits for somebody. Answer it: ${ourName} attach ${session.id}`)
  return outcome
}
