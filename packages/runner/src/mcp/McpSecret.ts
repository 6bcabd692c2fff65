import { Result, Schema } from "effect"

const Held = Schema.Union([
  Schema.Struct({ bearer: Schema.NonEmptyString }),
  Schema.Struct({ headers: Schema.Record(Schema.String, Schema.String) })
])

/** The name under which a server's credentials travel with a run. */
export const mcpSecretName = (server: string): string => `mcp/${server}`

/** The headers that a secret stands for, or undefined where it is not what was agreed. Nothing of it is ever quoted. */
export const secretHeaders = (secret: string | null): Readonly<Record<string, string>> | undefined => {
  if (secret === null) return {}
  const held = Schema.decodeUnknownResult(Schema.fromJsonString(Held))(secret)
  if (Result.isFailure(held)) return undefined
  return "bearer" in held.success ? { authorization: `Bearer ${held.success.bearer}` } : held.success.headers
}
