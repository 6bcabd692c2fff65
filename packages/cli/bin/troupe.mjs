#!/usr/bin/env node
// What `troupe` is. Plain JavaScript: an older Node can run it too, and hands over to the one that is pinned here. Where Node is
// new enough, as in an image, nothing else is needed.
import { fileURLToPath } from "node:url"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
const isTalk = isTerminal && ["attach", "chat"].includes(process.argv[2])

// As scripts/setup.mjs has it: from there on, Node runs our source.
if (major < 22 || (major === 22 && minor < 19)) {
  process.argv.splice(2, 0, "node", fileURLToPath(import.meta.url))
  await import("../../../scripts/run.mjs")
} else {
  await import("./sparing.mjs")
  await import(isTalk ? "./talk.mjs" : "../src/main.ts")
}
