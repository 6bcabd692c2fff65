import { AuthenticationError } from "@troupe/client"
import { explain, type Explained } from "../ui/problem.logic.ts"

/** The secret of a one-time link, where the address is one. */
export const tokenIn = (hash: string): string | null => (hash.length > 1 ? hash.slice(1) : null)

/** Where one wanted to go, if that is a page of the workspace that one is let into. */
export const pathAfter = (wanted: string | undefined, workspaceId: string): string =>
  wanted !== undefined && wanted.startsWith(`/w/${workspaceId}/`) ? wanted : "/"

/** Why somebody was not let in: who comes with a key or a link was not signed in before. */
export const explainLogin =
  (by: "key" | "link") =>
  (error: unknown): Explained => {
    const explained = explain(error)
    if (!(error instanceof AuthenticationError)) return explained
    const unaffected = "Nothing was changed, and whoever is signed in stays so."
    return by === "key"
      ? {
          ...explained,
          title: "That key lets nobody in",
          unaffected,
          advice: "Look whether all of it was copied. It may also have been revoked."
        }
      : {
          ...explained,
          title: "That link lets nobody in any more",
          unaffected,
          advice: "A link works once, within ten minutes. Have a new one made, or log in with a key."
        }
  }
