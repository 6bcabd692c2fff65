// Runs the suite as whoever starts it, and prints a line of JSON for each check, and what the probe noted last. Argument: the backend.
import { Effect } from "effect"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { hold } from "../../src/sandbox/conformance/hold.ts"
import { local } from "../../src/sandbox/Local.ts"

const backend = process.argv[2] === "local" ? local() : bubblewrap()
const { probe } = await Effect.runPromise(hold(backend, { tell: (verdict) => console.log(JSON.stringify(verdict)) }))
console.log(JSON.stringify(probe.notes))
