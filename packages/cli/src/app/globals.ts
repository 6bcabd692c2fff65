import { Flag, GlobalFlag } from "effect/cli"
import { ourName } from "./NameConfig.ts"

/** Data for programs: one object of JSON, or of a list one to a line. */
export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Print JSON: one object, or of a list one object a line")
  )
})

/** Which server is meant, where several are known. */
export const ContextName = GlobalFlag.Setting("context")({
  flag: Flag.String("context").pipe(
    Flag.optional,
    Flag.withDescription(`The server to use, by the name that ${ourName} contexts add gave it`)
  )
})

export const globals = [Json, ContextName] as const
