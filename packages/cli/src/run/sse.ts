/** The data of server-sent events, one after the other. Ends where the stream ends or breaks. */
export async function* sse(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let rest = ""
  try {
    for await (const chunk of body) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n\n")
      rest = parts.pop()!
      for (const part of parts) {
        const data = part
          .split("\n")
          .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trimStart()] : []))
          .join("\n")
        if (data !== "") yield JSON.parse(data)
      }
    }
  } catch (cause) {
    // A server that is gone breaks it off, and the caller asks again.
    if (cause instanceof SyntaxError) throw cause
  }
}
