import { Result, Schema } from "effect"

const Held = Schema.Union([
  Schema.Struct({ bearer: Schema.NonEmptyString }),
  Schema.Struct({
    headers: Schema.Record(Schema.String, Schema.String),
    /** What a token among them was granted for. */
    scope: Schema.optionalKey(Schema.String)
  })
])

/** The name under which a server's credentials travel with a run. */
export const mcpSecretName = (server: string): string => `mcp/${server}`

const wordsOf = (scope: string | undefined) => (scope ?? "").split(" ").filter((word) => word !== "")

/** Whether a secret has been granted all of a scope already: logging in again would bring nothing new. */
export const covers = (secret: string | null, scope: string | undefined): boolean => {
  if (secret === null || scope === undefined) return false
  const held = Schema.decodeUnknownResult(Schema.fromJsonString(Held))(secret)
  if (Result.isFailure(held) || !("scope" in held.success)) return false
  const granted = new Set(wordsOf(held.success.scope))
  return wordsOf(scope).every((word) => granted.has(word))
}

/** The headers that a secret stands for, or undefined where it is not what was agreed. Nothing of it is ever quoted. */
export const secretHeaders = (secret: string | null): Readonly<Record<string, string>> | undefined => {
  if (secret === null) return {}
  const held = Schema.decodeUnknownResult(Schema.fromJsonString(Held))(secret)
  if (Result.isFailure(held)) return undefined
  return "bearer" in held.success ? { authorization: `Bearer ${held.success.bearer}` } : held.success.headers
}
