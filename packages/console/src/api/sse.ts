export interface ServerEvent {
  readonly id: string | null
  readonly name: string
  readonly data: string
}

const eventOf = (part: string): ServerEvent => {
  let [id, name, data] = [null as string | null, "message", ""]
  for (const line of part.split("\n")) {
    const at = line.indexOf(":")
    const field = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? "" : line.slice(line[at + 1] === " " ? at + 2 : at + 1)
    if (field === "data") data = data === "" ? value : `${data}\n${value}`
    else if (field === "event") name = value
    else if (field === "id") id = value
  }
  return { id, name, data }
}

/** Server-sent events, batch by batch as they arrive. A batch may be empty: then the server said that it is still there. */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ReadonlyArray<ServerEvent>> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ""
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return
      const parts = (rest + decoder.decode(value, { stream: true })).replaceAll("\r\n", "\n").split("\n\n")
      rest = parts.pop()!
      yield parts.map(eventOf).filter(({ data }) => data !== "")
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
