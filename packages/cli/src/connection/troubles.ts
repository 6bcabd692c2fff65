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
import { exitCodes, Trouble } from "../app/Trouble.ts"
import type { Server } from "./ConnectionConfig.ts"
import { unreachable } from "./unreachable.ts"

const keyAdvice = ({ isOurs }: Server) =>
  isOurs
    ? "Unset TROUPE_API_KEY, so that the key of this home is used."
    : "Set TROUPE_API_KEY to a key of that server, or add it anew: troupe contexts add NAME URL"

const adviceFor = (error: TroupeError, server: Server): string | null => {
  if (error instanceof AuthenticationError) return keyAdvice(server)
  if (error instanceof PermissionError) return "Ask for a key that has this scope: troupe keys create makes one."
  if (error instanceof RateLimitError) return "Wait a little, and try again."
  if (error instanceof InvalidAnswerError) return "Is it a Troupe server? Look at TROUPE_SERVER or --context."
  if (error instanceof ServerError) return "Nothing was lost. Try again; if it stays, look into the node's log."
  if (!(error instanceof ConnectionError)) return null
  return server.isOurs
    ? "Look what runs with troupe status, and start it with npm start."
    : "Look at its address and at your network; another one is named by TROUPE_SERVER or --context."
}

const whatOf = (error: TroupeError, { url }: Server): string => {
  if (error instanceof AuthenticationError) return `${url} does not take this key: it is wrong, expired or revoked.`
  if (error instanceof ConnectionError) return unreachable(url, error)
  return /[.!?]$/.test(error.message) ? error.message : `${error.message}.`
}

/** What a failure of the client is to whoever typed the command. Anything else is a defect. */
export const troubleOf = (error: unknown, server: Server): Trouble => {
  if (error instanceof Trouble) return error
  if (!(error instanceof TroupeError)) throw error
  const id = error instanceof ApiError && error.requestId !== null ? ` (${error.requestId})` : ""
  return new Trouble({
    what: `${whatOf(error, server)}${id}`,
    advice: adviceFor(error, server),
    code:
      error instanceof ConnectionError || error instanceof InvalidAnswerError ? exitCodes.noServer : exitCodes.refused
  })
}
