#!/usr/bin/env node
// What `troupe` is. Plain JavaScript: an older Node can run it too, and hands over to the one that is pinned here. Where Node is
// new enough, as in an image, nothing else is needed.
import { fileURLToPath } from "node:url"

const main = new URL("../src/main.ts", import.meta.url)
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

// As scripts/setup.mjs has it: from there on, Node runs our source.
if (major > 22 || (major === 22 && minor >= 19)) await import(main.href)
else {
  process.argv.splice(2, 0, "node", fileURLToPath(main))
  await import("../../../scripts/run.mjs")
}
