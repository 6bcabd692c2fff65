const mebibyte = 1_048_576
const everyBytes = mebibyte / 4
const barWidth = 24

const bar = (done: number, total: number): string => {
  const filled = Math.min(barWidth, Math.floor((done / total) * barWidth))
  return `${"█".repeat(filled)}${"░".repeat(barWidth - filled)} `
}

const seconds = (ms: number): string => `${Math.floor(ms / 1_000)} s`

/** How far something is that has steps, of which one goes on, and since when. */
export const stepLine = (steps: ReadonlyArray<string>, at: number, ms: number): string =>
  `${bar(at, steps.length)}${seconds(ms)}, ${steps[at]}`

/** How long something has taken that has an end at which it is over in any case. */
export const waitLine = (ms: number, mostMs: number): string =>
  `${bar(ms, mostMs)}${seconds(ms)}, at most ${seconds(mostMs)}`

const lineMs = 500

/** Says, where somebody looks and it takes long enough to be looked at, how far it is, until this is disposed of. */
export const telling = (line: (ms: number) => string): Disposable => {
  if (process.stderr.isTTY !== true) return { [Symbol.dispose]: () => undefined }
  const began = performance.now()
  let isTold = false
  const timer = setInterval(() => {
    isTold = true
    process.stderr.write(`\r\u001B[K${line(performance.now() - began)}`)
  }, lineMs)
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer)
      if (isTold) process.stderr.write("\r\u001B[K")
    }
  }
}

/** How far it is, in a line: without an end that is known, only how much was done. */
export const progressLine = (done: number, total: number): string => {
  const of = total > 0 ? ` of ${(total / mebibyte).toFixed(1)}` : ""
  return `${total > 0 ? bar(done, total) : ""}${(done / mebibyte).toFixed(1)}${of} MiB`
}

/** Passes content on, and says how far it is, where somebody looks and it takes long enough to be looked at. */
export const counted = async function* <A extends { readonly length: number }>(
  content: AsyncIterable<A>,
  total: number
): AsyncGenerator<A> {
  let done = 0
  let told = 0
  const isSeen = process.stderr.isTTY === true
  for await (const chunk of content) {
    yield chunk
    done += chunk.length
    if (!isSeen || done - told < everyBytes) continue
    told = done
    process.stderr.write(`\r${progressLine(done, total)}`)
  }
  if (told > 0) process.stderr.write("\r\u001B[K")
}

/** `fetch`, with a bar for files that are sent. */
export const fetchTelling: typeof fetch = (input, init) => {
  const body = init?.body
  if (!(body instanceof Blob) || process.stderr.isTTY !== true) return fetch(input, init)
  const content = ReadableStream.from(counted(body.stream(), body.size))
  return fetch(input, { ...init, body: content, duplex: "half" } as RequestInit)
}
