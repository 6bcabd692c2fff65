import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readMigrations } from "../../src/postgres/MigrationFiles.ts"
import { temporaryDirectory } from "../support/EmbeddedHome.ts"
import { writeMigrations } from "../support/migrations.ts"

const read = (files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    writeMigrations(directory, files)
    return yield* readMigrations(directory)
  }).pipe(Effect.provide(NodeServices.layer))

const refusal = (files: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(read(files)), ({ message }) => message)

describe("MigrationFiles", () => {
  it.live("are statements divided by a marker line", () =>
    Effect.gen(function* () {
      const [first, second] = yield* read({
        "0001_one.sql":
          "SELECT ';'\n-- ;;\n\n-- only a comment\n-- ;;\nSELECT 2 -- ;; not alone on its line\n  --;;  \nSELECT 3\n",
        "0002_two.sql": "SELECT 4",
        "README.md": "not a migration"
      })
      assert.deepStrictEqual(first?.statements, ["SELECT ';'", "SELECT 2 -- ;; not alone on its line", "SELECT 3"])
      assert.deepStrictEqual([second?.id, second?.name], [2, "two"])
    })
  )

  it.live("are the same with other line ends", () =>
    Effect.gen(function* () {
      const [unix] = yield* read({ "0001_one.sql": "SELECT 1\n-- ;;\nSELECT 2\n" })
      const [windows] = yield* read({ "0001_one.sql": "SELECT 1\r\n-- ;;\r\nSELECT 2\r\n" })
      assert.strictEqual(windows?.sha256, unix?.sha256)
      assert.deepStrictEqual(windows?.statements, unix?.statements)
    })
  )

  it.live("are numbered without gaps or repetition", () =>
    Effect.gen(function* () {
      assert.include(yield* refusal({ "0001_a.sql": "SELECT 1", "0003_c.sql": "SELECT 1" }), "0002 is missing")
      assert.include(yield* refusal({ "0002_b.sql": "SELECT 1" }), "0001 is missing")
      assert.include(yield* refusal({ "0001_a.sql": "SELECT 1", "0001_b.sql": "SELECT 1" }), "0001 is given twice")
      assert.include(yield* refusal({ "0000_a.sql": "SELECT 1" }), "0001 is missing")
      assert.include(yield* refusal({ "1_a.sql": "SELECT 1" }), "1_a.sql is not named NNNN_name.sql")
    })
  )

  it.live("leave the transaction to the migrator", () =>
    Effect.gen(function* () {
      for (const statement of ["BEGIN", "-- why\ncommit", "/* x */ ROLLBACK", "START TRANSACTION", "end;"]) {
        assert.include(yield* refusal({ "0001_a.sql": `SELECT 1\n-- ;;\n${statement}` }), "opens or ends a transaction")
      }
      assert.include(yield* refusal({ "0001_a.sql": "-- nothing" }), "holds no statement")
    })
  )
})
