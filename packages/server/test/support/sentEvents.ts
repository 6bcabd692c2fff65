// oxlint-disable-next-line typescript/no-explicit-any -- what the API answers is looked into by the tests
export type Body = any

export interface SentEvent {
  readonly event: string
  readonly id: string | null
  readonly data: Body
}

/** What a stream of server-sent events says, one after the other; pings are left out. */
export async function* eventsOf(response: Response): AsyncGenerator<SentEvent, void> {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of response.body!) {
    const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n\n")
    rest = parts.pop()!
    for (const part of parts) {
      const fields = new Map(
        part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)])
      )
      if (fields.get("event") === "ping") continue
      yield { event: fields.get("event") ?? "", id: fields.get("id") ?? null, data: JSON.parse(fields.get("data")!) }
    }
  }
}
