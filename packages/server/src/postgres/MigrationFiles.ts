import { Effect, FileSystem, Path, Schema } from "effect"
import { createHash } from "node:crypto"

export interface Migration {
  readonly id: number
  readonly name: string
  readonly sha256: string
  readonly statements: ReadonlyArray<string>
}

export class MigrationFilesInvalid extends Schema.TaggedError<MigrationFilesInvalid>()("MigrationFilesInvalid", {
  directory: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `The migrations in ${this.directory} cannot be used: ${this.detail}`
  }
}

/**
 * Reads `NNNN_name.sql` files: numbered from 0001 without gaps, statements divided by lines of `-- ;;`. The server
 * takes one statement at a time, and only a marker of our own can tell a statement's end from a semicolon inside a
 * function's body.
 */
export const readMigrations = Effect.fn("MigrationFiles.read")(function* (
  directory: string
): Effect.fn.Return<ReadonlyArray<Migration>, MigrationFilesInvalid, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const invalid = (detail: string) => new MigrationFilesInvalid({ directory, detail })
  const names = yield* fs.readDirectory(directory).pipe(Effect.mapError((error) => invalid(error.message)))
  const migrations: Array<Migration> = []
  for (const file of names.filter((name) => name.endsWith(".sql")).sort()) {
    const [, digits, name] = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file) ?? []
    if (digits === undefined || name === undefined) return yield* invalid(`${file} is not named NNNN_name.sql`)
    const id = Number(digits)
    const expected = migrations.length + 1
    if (id < expected && id > 0) return yield* invalid(`the number ${digits} is given twice`)
    if (id !== expected) return yield* invalid(`${file} follows a gap, ${pad(expected)} is missing`)
    const content = yield* fs
      .readFileString(path.join(directory, file))
      .pipe(Effect.mapError((error) => invalid(error.message)))
    const statements = splitStatements(content)
    if (statements.length === 0) return yield* invalid(`${file} holds no statement`)
    const control = statements.find((statement) => transactionControl.test(withoutComments(statement)))
    if (control !== undefined) {
      return yield* invalid(`${file} opens or ends a transaction, and each file already runs in one: ${control}`)
    }
    migrations.push({ id, name, sha256: digest(content), statements })
  }
  return migrations
})

export const fileName = (migration: { readonly id: number; readonly name: string }): string =>
  `${pad(migration.id)}_${migration.name}.sql`

const pad = (id: number): string => String(id).padStart(4, "0")

const splitStatements = (content: string): ReadonlyArray<string> =>
  content
    .split(/^[ \t]*--[ \t]*;;[ \t]*\r?$/m)
    .map((statement) => statement.trim())
    .filter((statement) => withoutComments(statement) !== "")

// Good enough to see how a statement begins.
const withoutComments = (statement: string): string => statement.replace(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)*/, "")

const transactionControl =
  /^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i

// Git may check a file out with other line ends; that is no change.
const digest = (content: string): string => createHash("sha256").update(content.replaceAll("\r\n", "\n")).digest("hex")
