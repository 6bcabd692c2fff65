import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Writes migration files for a test. */
export const writeMigrations = (directory: string, files: Readonly<Record<string, string>>): void => {
  mkdirSync(directory, { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
}
