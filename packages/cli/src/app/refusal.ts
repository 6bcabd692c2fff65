import { exitCodes } from "./exitCodes.ts"
import type { Trouble } from "./Trouble.ts"

/** Whether a command line asks for JSON, also where it is too wrong to be read. */
export const asksForJson = (args: ReadonlyArray<string>): boolean => {
  const end = args.indexOf("--")
  return (end === -1 ? args : args.slice(0, end)).includes("--json")
}

interface Refused {
  readonly type: string
  readonly message: string
  readonly advice: string | null
  readonly requestId?: string | null
}

/** Why something was not done, for programs. */
export const refusalJson = ({ advice, message, requestId = null, type }: Refused): string =>
  JSON.stringify({ error: { type, message, advice, request_id: requestId } })

const types: Readonly<Record<number, string>> = {
  [exitCodes.usage]: "usage_error",
  [exitCodes.noServer]: "connection_error",
  [exitCodes.refused]: "refused_error"
}

/** A trouble for whoever is to read it. */
export const troubleText = ({ advice, code, message, requestId, type, what }: Trouble, isJson: boolean): string =>
  isJson
    ? refusalJson({ type: type ?? types[code] ?? "failed_error", message: what, advice, requestId: requestId ?? null })
    : message
