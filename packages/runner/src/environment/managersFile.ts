import { type PackageManager, packageManagers } from "@troupe/domain/environment/EnvironmentConfig"
import { Schema } from "effect"
import { readFileSync } from "node:fs"
import type { ManagerSetting } from "./ManagerSettings.ts"

const Variables = Schema.Record(Schema.String.check(Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]*$/)), Schema.String)
const Path = Schema.String.check(Schema.isPattern(/^\/[^\0]*$/))
const Setting = Schema.Struct({
  variables: Schema.optionalKey(Variables),
  files: Schema.optionalKey(Schema.Array(Schema.Struct({ source: Path, target: Path }))),
  hosts: Schema.optionalKey(Schema.Array(Schema.String))
})

const decode = Schema.decodeUnknownSync(
  Schema.Struct(
    Object.fromEntries(packageManagers.map((name) => [name, Schema.optionalKey(Setting)])) as {
      readonly [M in PackageManager]: Schema.optionalKey<typeof Setting>
    }
  ),
  { onExcessProperty: "error" }
)

/** What the host's owner wrote down about package managers. */
export const readManagersFile = (file: string): Partial<Record<PackageManager, ManagerSetting>> => {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, "utf8"))
  } catch (cause) {
    // The parser's own words could quote a token.
    throw cause instanceof SyntaxError ? new Error("it is no JSON") : cause
  }
  return decode(content)
}
