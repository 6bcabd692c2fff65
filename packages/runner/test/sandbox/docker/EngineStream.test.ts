import { assert, describe, it } from "@effect/vitest"
import { Demultiplexer } from "../../../src/sandbox/docker/EngineStream.ts"

const piece = (stream: number, text: string) => {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

const wire = Buffer.concat([piece(1, "out"), piece(2, ""), piece(2, "err"), piece(1, "put")])

const read = (parts: ReadonlyArray<Buffer>) => {
  const demultiplexer = new Demultiplexer()
  const said = { stdout: "", stderr: "" }
  for (const part of parts) {
    for (const { bytes, stream } of demultiplexer.push(part)) said[stream] += Buffer.from(bytes).toString()
  }
  return said
}

describe("The streams of a process without a terminal", () => {
  it.each(Array.from({ length: wire.length }, (_, size) => size + 1))("are told apart in parts of %i bytes", (size) => {
    const parts = Array.from({ length: Math.ceil(wire.length / size) }, (_, index) =>
      wire.subarray(index * size, (index + 1) * size)
    )
    assert.deepStrictEqual(read(parts), { stdout: "output", stderr: "err" })
  })

  it("gives what has arrived of a piece that has not ended", () =>
    assert.deepStrictEqual(read([piece(1, "a long line").subarray(0, 12)]), { stdout: "a lo", stderr: "" }))
})
