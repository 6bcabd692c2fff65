import type { OutputChunk } from "../Sandbox.ts"
import type { Hijacked } from "./EngineApi.ts"

const headerBytes = 8

/**
 * What a hijacked connection brings, as it comes. It reads on only when it is asked for more, so that what nobody takes
 * stays with the engine, and the process waits. Without a terminal, each piece has a header: the stream's number and a
 * length; a piece may be long, and is given in the parts in which it arrives.
 */
export async function* output(connection: Hijacked, terminal: boolean): AsyncGenerator<OutputChunk> {
  const demultiplexer = new Demultiplexer()
  for await (const bytes of arriving(connection)) {
    if (terminal) yield { stream: "stdout", bytes }
    else yield* demultiplexer.push(bytes)
  }
}

async function* arriving({ head, socket }: Hijacked): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  try {
    for await (const bytes of socket) yield bytes as Buffer
  } catch {
    // The connection broke, or we ended it: the inspection that follows says what became of the process.
  }
}

export class Demultiplexer {
  #header = Buffer.alloc(0)
  #stream: OutputChunk["stream"] = "stdout"
  #missing = 0;

  *push(bytes: Buffer): Generator<OutputChunk> {
    let rest = bytes
    while (rest.length > 0) {
      if (this.#missing === 0) {
        const taken = headerBytes - this.#header.length
        this.#header = Buffer.concat([this.#header, rest.subarray(0, taken)])
        rest = rest.subarray(taken)
        if (this.#header.length < headerBytes) return
        this.#stream = this.#header[0] === 2 ? "stderr" : "stdout"
        this.#missing = this.#header.readUInt32BE(4)
        this.#header = Buffer.alloc(0)
        continue
      }
      const part = rest.subarray(0, this.#missing)
      this.#missing -= part.length
      rest = rest.subarray(part.length)
      yield { stream: this.#stream, bytes: part }
    }
  }
}
