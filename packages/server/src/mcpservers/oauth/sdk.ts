import { Effect } from "effect"

/** The official client, loaded when somebody first logs in: most nodes never need it. */
export const sdk = Effect.promise(() => import("@modelcontextprotocol/client"))
