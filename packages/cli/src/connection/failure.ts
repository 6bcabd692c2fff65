import {
  ApiError,
  AuthenticationError,
  ConnectionError,
  InvalidAnswerError,
  PermissionError,
  RateLimitError,
  ServerError,
  TroupeError
} from "@troupe/client"
import { Unattachable } from "../attachments/Unattachable.ts"
import { exitCodes } from "../app/exitCodes.ts"
import type { Located } from "./reach.ts"
import { unreachable } from "./unreachable.ts"
import { ourName, startWords } from "../app/NameConfig.ts"

const keyAdvice = ({ isOurs }: Located) =>
  isOurs
    ? "Unset TROUPE_API_KEY, so that the key of this home is used."
    : `Set TROUPE_API_KEY to a key of that server, or add it anew: ${ourName} contexts add NAME URL`

/** Which command lists things of a kind, by what their ids begin with. */
const lists: Readonly<Record<string, string>> = {
  agent_: "agents list",
  file_: "files list",
  sesn_: "sessions list",
  sevt_: "approvals list",
  tok_: "keys list",
  turn_: "turns list SESSION"
}

/** What an id that is none should have begun with; null where that is not what is wrong. */
const wantedPrefix = ({ message }: TroupeError): string | null =>
  /^Invalid path: \w+: Expected an id that starts with (\w+_)/.exec(message)?.[1] ?? null

const adviceFor = (error: TroupeError, server: Located): string | null => {
  if (error instanceof AuthenticationError) return keyAdvice(server)
  if (error instanceof PermissionError) return `Ask for a key that has this scope: ${ourName} keys create makes one.`
  const prefix = wantedPrefix(error)
  if (prefix !== null) return Object.hasOwn(lists, prefix) ? `${ourName} ${lists[prefix]} shows those there are.` : null
  if (error instanceof RateLimitError) return "Wait a little, and try again."
  if (error instanceof InvalidAnswerError) return "Is it a Troupe server? Look at TROUPE_SERVER or --context."
  if (error instanceof ServerError) return "Nothing was lost. Try again; if it stays, look into the node's log."
  if (!(error instanceof ConnectionError)) return null
  return server.isOurs
    ? `Look what runs with ${ourName} status, and start it with ${startWords}.`
    : "Look at its address and at your network; another one is named by TROUPE_SERVER or --context."
}

const whatOf = (error: TroupeError, { url }: Located): string => {
  if (error instanceof AuthenticationError) return `${url} does not take this key: it is wrong, expired or revoked.`
  if (error instanceof ConnectionError) return unreachable(url, error)
  const prefix = wantedPrefix(error)
  if (prefix !== null) return `That is no id: one that begins with ${prefix} is wanted.`
  return /[.!?]$/.test(error.message) ? error.message : `${error.message}.`
}

/** What went wrong between a server and whoever asked it, in words. */
export interface Failure {
  readonly what: string
  readonly advice: string | null
  readonly code: number
  /** As the API calls it, where a server refused. */
  readonly type?: string
  readonly requestId?: string | null
}

/** What is wrong with a file that was named: no server is needed to say so. */
export const failureOfFile = ({ advice, message }: Unattachable): Failure => ({
  what: message,
  advice,
  code: exitCodes.usage
})

/** What a failure of the client is in words, or of a file that it was to send. Anything else is a defect. */
export const failureOf = (error: unknown, server: Located): Failure => {
  if (error instanceof Unattachable) return failureOfFile(error)
  if (!(error instanceof TroupeError)) throw error
  return {
    ...(error instanceof ApiError ? { type: error.type ?? "api_error", requestId: error.requestId } : {}),
    what: whatOf(error, server),
    advice: adviceFor(error, server),
    code:
      error instanceof ConnectionError || error instanceof InvalidAnswerError ? exitCodes.noServer : exitCodes.refused
  }
}
