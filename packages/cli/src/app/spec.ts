import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { usageTrouble } from "./Trouble.ts"
import { ourName } from "./NameConfig.ts"
import { whyUnreadable } from "./unreadable.ts"

/** A file of YAML or JSON, or what was typed where a text is given. YAML is read only where it is needed. */
export const readSpec = Effect.fnUntraced(function* (name: string, text?: string) {
  const { parse } = yield* Effect.promise(() => import("yaml"))
  return yield* Effect.try({
    try: (): unknown => parse(text ?? readFileSync(name === "-" ? 0 : name, "utf8")),
    catch: (cause) => usageTrouble(`${name} can't be read: ${whyUnreadable(cause)}.`)
  })
})

export const readObject = Effect.fnUntraced(function* (name: string) {
  const found = yield* readSpec(name)
  if (typeof found === "object" && found !== null && !Array.isArray(found))
    return found as Readonly<Record<string, unknown>>
  return yield* usageTrouble(
    `${name} says nothing of an agent.`,
    `It has name, model, tools: ${ourName} agents export AGENT shows one.`
  )
})

export const writeSpec = (value: object): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => import("yaml")),
    ({ stringify }) => stringify(value).trimEnd()
  )
