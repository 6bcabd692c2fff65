import type { ApiProblem } from "../api/ApiProblem.ts"

/** What went wrong in a few words, and what to do about it. */
export const explain = ({ kind, status }: Pick<ApiProblem, "kind" | "status">): { title: string; advice: string } => {
  if (kind === "console_error") return { title: "The console made a mistake", advice: "Reload the page." }
  switch (status) {
    case 0:
      return { title: "No connection", advice: "It tries again by itself. If it stays so: npx troupe status" }
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
