import { connect } from "node:net"

export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

const headOf = (text: string): Omit<RawAnswer, "body"> => {
  const [first = "", ...lines] = text.split("\r\n")
  const headers = lines.map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]), headers: new Map(headers) }
}

/** The answers in what a connection sent, one after the other; all that the API sends says how long it is. */
const answersIn = (text: string, bodiless: boolean): ReadonlyArray<RawAnswer> => {
  const answers: Array<RawAnswer> = []
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\r\n\r\n", at)
    if (end < 0) break
    const head = headOf(text.slice(at, end))
    const length = bodiless ? 0 : Number(head.headers.get("content-length") ?? 0)
    if (text.length < end + 4 + length) break
    answers.push({ ...head, body: text.slice(end + 4, end + 4 + length) })
    at = end + 4 + length
  }
  return answers
}

export interface RawRequest {
  /** What is sent at once, and then with each answer. */
  readonly bytes: string | readonly [string, ...ReadonlyArray<string>]
  /** How many answers are waited for; fewer come where the connection ends. */
  readonly answers?: number
  readonly head?: boolean
}

/** What a server says to bytes that no HTTP library would send. In Latin-1: a character is a byte. */
export const rawHttp = (origin: string, { answers = 1, bytes, head = false }: RawRequest) =>
  new Promise<{ readonly answers: ReadonlyArray<RawAnswer>; readonly ended: boolean }>((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    const [first, ...next] = typeof bytes === "string" ? [bytes] : bytes
    let text = ""
    let sent = 1
    const socket = connect(Number(port), hostname, () => socket.write(first!, "latin1"))
    const done = (ended: boolean) => {
      socket.destroy()
      resolve({ answers: answersIn(text, head), ended })
    }
    socket.setEncoding("latin1")
    socket.on("data", (piece) => {
      text += String(piece)
      const come = answersIn(text, head).length
      if (come >= answers) return done(false)
      while (sent <= come && next.length > 0) {
        socket.write(next.shift()!, "latin1")
        sent++
      }
    })
    socket.once("end", () => done(true))
    socket.once("error", reject)
  })
