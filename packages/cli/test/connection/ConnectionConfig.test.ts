import { assert, describe, it } from "@effect/vitest"
import { Option, Redacted } from "effect"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach } from "vitest"
import { Trouble } from "../../src/app/Trouble.ts"
import { serverOf } from "../../src/connection/ConnectionConfig.ts"
import { add, remove, use } from "../../src/connection/Contexts.ts"
import { load } from "../../src/up/UpConfig.ts"
import { ourName } from "../../src/app/NameConfig.ts"

const key = "trp_key_that_is_long_enough_to_be_taken"
const other = "trp_another_key_that_is_long_enough_too"

describe("The server that is meant", () => {
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "troupe-contexts-"))
  })
  afterEach(() => rmSync(home, { recursive: true }))

  const meant = (environment: Record<string, string> = {}, context: string | null = null) => {
    const given = { TROUPE_HOME: home, ...environment }
    const found = serverOf(load(given), Option.fromNullishOr(context), given)
    return found instanceof Trouble ? found.message : { ...found, key: Redacted.value(found.key) }
  }
  const runs = () => {
    writeFileSync(
      join(home, "lock.json"),
      JSON.stringify({ pid: process.pid, host: "here", since: "", url: "http://ours" })
    )
    writeFileSync(join(home, "api_key"), `${key}\n`)
  }

  it("is the one that runs here, with the key of this home", () => {
    assert.match(String(meant()), /^Nothing runs here.\nStart it with npm start/)
    runs()
    assert.deepStrictEqual(meant(), { url: "http://ours", key, isOurs: true })
  })

  it("is the one that the environment names, which never gets the key of this home", () => {
    runs()
    const named = { TROUPE_SERVER: "https://troupe.example/" }
    assert.include(String(meant(named)), "The key of https://troupe.example/ is missing.\nSet TROUPE_API_KEY")
    assert.deepStrictEqual(meant({ ...named, TROUPE_API_KEY: other }), {
      url: "https://troupe.example",
      key: other,
      isOurs: false
    })
  })

  it("is the context in use, unless another one is named", () => {
    runs()
    add(home, "work", "https://work.example", Redacted.make(other))
    const work = { url: "https://work.example", key: other, isOurs: false }
    assert.deepStrictEqual(meant(), work)
    use(home, null)
    assert.deepStrictEqual(meant(), { url: "http://ours", key, isOurs: true })
    assert.deepStrictEqual(meant({}, "work"), work)
    assert.include(String(meant({}, "play")), `There is no context play.\n${ourName} contexts list`)
    remove(home, "work")
    assert.match(String(meant({}, "work")), /^There is no context work/)
  })

  it("has its key where only its owner reads", () => {
    add(home, "work", "https://work.example", Redacted.make(other))
    const file = join(home, "contexts/work.key")
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.notInclude(readFileSync(join(home, "contexts/contexts.json"), "utf8"), other)
  })
})
