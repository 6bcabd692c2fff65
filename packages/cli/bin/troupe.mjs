#!/usr/bin/env node
// What `troupe` is. Plain JavaScript: an older Node can run it too, and hands over to the one that is pinned here.
import { fileURLToPath } from "node:url"
import { isNewEnough } from "../../../scripts/setup.mjs"

const main = new URL("../src/main.ts", import.meta.url)

if (isNewEnough(process.version)) await import(main.href)
else {
  process.argv.splice(2, 0, "node", fileURLToPath(main))
  await import("../../../scripts/run.mjs")
}
