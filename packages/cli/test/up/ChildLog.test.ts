import { assert, describe, it } from "@effect/vitest"
import { closeSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ChildLog } from "../../src/up/ChildLog.ts"

const withLog = (work: (log: ChildLog, write: (text: string) => void) => void): void => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-log-"))
  const log = new ChildLog(join(directory, "node.log"))
  const file = log.open()
  try {
    work(log, (text) => writeSync(file, text))
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true })
  }
}

const megabyte = `${"x".repeat(1023)}\n`.repeat(1024)

describe("The log of a process", () => {
  it("tells each line once, when it is whole", () =>
    withLog((log, write) => {
      write("one\ntw")
      assert.deepStrictEqual(log.news(), ["one"])
      write("o\n")
      assert.deepStrictEqual(log.news(), ["two"])
      assert.deepStrictEqual(log.news(), [])
    }))

  it("has an end to look at", () =>
    withLog((log, write) => {
      write("one\ntwo\nthree\n")
      assert.deepStrictEqual(log.tail(2), ["two", "three"])
    }))

  it("stays bounded, while the process holds the same file", () =>
    withLog((log, write) => {
      for (let written = 0; written < 60; written++) {
        write(megabyte)
        log.news()
      }
      const sizes = ["", ".1", ".2"].map((age) => statSync(`${log.file}${age}`).size)
      assert.isBelow(Math.max(...sizes), 10 * 1024 * 1024)
      assert.isFalse(existsSync(`${log.file}.3`))
      write("after\n")
      assert.deepStrictEqual(log.news().slice(-1), ["after"])
      assert.strictEqual(statSync(`${log.file}.1`).mode & 0o777, 0o600)
      assert.isTrue(readFileSync(log.file, "utf8").endsWith("after\n"))
    }))
})
