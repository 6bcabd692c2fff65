import { Troupe } from "@troupe/client"
import { program } from "./program.ts"

// A page of the same origin as the API, as the console is one.
const { apiKey } = (await (await fetch("/settings")).json()) as { readonly apiKey: string }
const lines = await program(new Troupe({ baseURL: new URL(import.meta.url).origin, apiKey })).catch((error: Error) => [
  String(error.stack)
])
await fetch("/said", { method: "POST", body: lines.join("\n") })
