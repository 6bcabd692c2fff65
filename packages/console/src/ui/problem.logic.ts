import { ApiError, ConnectionError, InvalidAnswerError, TimeoutError } from "@troupe/client"

/** What went wrong in a few words, what was said of it, what to do, and the number under which the server knows it. */
export interface Explained {
  readonly title: string
  readonly message: string
  readonly advice: string
  readonly requestId: string | null
}

/** What the page itself does not take, and why. */
export class Refused extends Error {}

const ofStatus = (status: number): Pick<Explained, "title" | "advice"> => {
  switch (status) {
    case 400:
      return { title: "That was not understood", advice: "Nothing was changed. Correct it and send it again." }
    case 401:
      return { title: "You are not signed in any more", advice: "Sign in again with a key." }
    case 403:
      return { title: "Your key may not do this", advice: "Nothing was changed. A key with more scopes can." }
    case 404:
      return { title: "There is no such thing here", advice: "It may be deleted, or belong to another workspace." }
    case 409:
      return { title: "Somebody else was faster", advice: "Nothing was changed. Look at what is there now." }
    case 413:
      return { title: "That is too large", advice: "Nothing was changed. Send less at once." }
    case 429:
    case 529:
      return { title: "Too much at once", advice: "Nothing was changed. Try again in a moment." }
    default:
      return { title: "The server has trouble", advice: "Try again. The request id finds it in the server's log." }
  }
}

const noConnection = (error: ConnectionError): Explained => ({
  title: "No connection",
  message:
    error instanceof TimeoutError
      ? "The server did not answer in time. Whether it did what was asked is seen once it is back."
      : "The server can't be reached. Nothing was lost: what it runs goes on.",
  advice: "It tries again by itself. If it stays so: npx troupe status",
  requestId: null
})

export const explain = (error: unknown): Explained => {
  if (error instanceof ApiError) {
    const { message, requestId, status } = error
    return { ...ofStatus(status), message, requestId }
  }
  if (error instanceof ConnectionError) return noConnection(error)
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof InvalidAnswerError) {
    return {
      title: "Something else answered",
      message,
      advice: "Nothing was lost. A proxy before the server may be in the way.",
      requestId: error.requestId
    }
  }
  if (error instanceof Refused) {
    return { title: "That was not taken", message, advice: "What else there was is kept.", requestId: null }
  }
  return { title: "The console made a mistake", message, advice: "Reload the page.", requestId: null }
}
