import { type PackageManager, packageManagers } from "@troupe/domain/environment/EnvironmentConfig"
import { Schema } from "effect"
import { othersMayRead, ownFile } from "../secrets/ownFile.ts"
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

/** What the host's owner wrote down about package managers. One with variables may hold what it takes to log in: it is its owner's alone. */
export const readManagersFile = (file: string): Partial<Record<PackageManager, ManagerSetting>> => {
  let content: unknown
  const { open, text } = ownFile(file)
  try {
    content = JSON.parse(text)
  } catch (cause) {
    // The parser's own words could quote a token.
    throw cause instanceof SyntaxError ? new Error("it is no JSON") : cause
  }
  const settings = decode(content)
  if (open && Object.values(settings).some(({ variables = {} }) => Object.keys(variables).length > 0)) {
    throw new Error(othersMayRead)
  }
  return settings
}
