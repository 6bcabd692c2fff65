import { ApiError, ConnectionError, InvalidAnswerError, TimeoutError } from "@troupe/client"

/** What went wrong in a few words, what was said of it, what it did no harm to, what to do, and the number under which the server knows it. */
export interface Explained {
  readonly title: string
  readonly message: string
  readonly unaffected: string
  readonly advice: string
  readonly requestId: string | null
}

/** What the page itself does not take, and why. */
export class Refused extends Error {}

type Told = Pick<Explained, "title" | "unaffected" | "advice">

const unchanged = "Nothing was changed."
const tooMuch: Told = { title: "Too much at once", unaffected: unchanged, advice: "Try again in a moment." }

const ofStatus = (status: number): Told => {
  switch (status) {
    case 400:
      return { title: "That was not understood", unaffected: unchanged, advice: "Correct it and send it again." }
    case 401:
      return {
        title: "You are not signed in any more",
        unaffected: "Nothing was changed, and what runs goes on.",
        advice: "Sign in again with a key."
      }
    case 403:
      return { title: "Your key may not do this", unaffected: unchanged, advice: "A key with more scopes can." }
    case 404:
      return {
        title: "There is no such thing here",
        unaffected: "Nothing was changed, and all else is where it was.",
        advice: "Look at the address: what it names may be deleted, or belong to another workspace."
      }
    case 409:
      return { title: "Somebody else was faster", unaffected: unchanged, advice: "Look at what is there now." }
    case 413:
      return { title: "That is too large", unaffected: unchanged, advice: "Send less at once." }
    case 429:
    case 529:
      return tooMuch
    default:
      return status < 500
        ? { title: "That was refused", unaffected: unchanged, advice: "Change what the server says of it." }
        : {
            title: "The server has trouble",
            unaffected:
              "What it had taken before is kept, and what runs goes on. Whether it took this is seen in a moment.",
            advice: "Try again. The request id finds it in the server's log."
          }
  }
}

const noConnection = (error: ConnectionError): Explained => ({
  title: "No connection",
  message:
    error instanceof TimeoutError
      ? "The server did not answer in time. Whether it did what was asked is seen once it is back."
      : "The server can't be reached.",
  unaffected: "Nothing was lost: what it runs goes on.",
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
      unaffected: "Nothing was lost: what the server runs goes on.",
      advice: "Look whether a proxy before the server is in the way.",
      requestId: error.requestId
    }
  }
  if (error instanceof Refused) {
    return {
      title: "That was not taken",
      message,
      unaffected: "What else there was is kept.",
      advice: "Choose something else.",
      requestId: null
    }
  }
  return {
    title: "The console made a mistake",
    message,
    unaffected: "It is this page alone: what the server runs goes on.",
    advice: "Reload the page.",
    requestId: null
  }
}
