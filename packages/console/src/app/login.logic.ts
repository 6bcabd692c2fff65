import { AuthenticationError } from "@troupe/client"
import { explain, type Explained } from "../ui/problem.logic.ts"

/** The secret of a one-time link, where the address is one. */
export const tokenIn = (hash: string): string | null => (hash.length > 1 ? hash.slice(1) : null)

/** Where one wanted to go, if that is a page of the workspace that one is let into. */
export const pathAfter = (wanted: string | undefined, workspaceId: string): string =>
  wanted !== undefined && wanted.startsWith(`/w/${workspaceId}/`) ? wanted : "/"

/** As long as a one-time link is good. */
const wantedForMs = 600_000

/** The page that somebody asked for who was then asked to log in, as it is kept. */
export const wantedText = (path: string, now: number): string => JSON.stringify({ path, at: now })

/** The same read back; undefined where it was too long ago to be what is wanted now. */
export const wantedIn = (text: string | null, now: number): string | undefined => {
  try {
    const { at, path } = JSON.parse(text ?? "{}") as { readonly at?: unknown; readonly path?: unknown }
    return typeof path === "string" && typeof at === "number" && now - at < wantedForMs ? path : undefined
  } catch {
    return undefined
  }
}

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
