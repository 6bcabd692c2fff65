#!/usr/bin/env node
// What `troupe` is. Plain JavaScript: an older Node can run it too, and hands over to the one that is pinned here. Where Node is
// new enough, as in an image, nothing else is needed.
import { fileURLToPath } from "node:url"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
const isTalk = isTerminal && ["attach", "chat"].includes(process.argv[2])

// As scripts/setup.mjs has it: from there on, Node runs our source.
const isNewEnough = major > 22 || (major === 22 && minor >= 19)

// A Node that is too old to install a newer one hears of it at the gate, which reads no word of what comes behind it: hence
// nothing here that Node 12 would not read, such as an `await` outside of a function.
const begin = async () => {
  if (isNewEnough) {
    await import("./sparing.mjs")
    await import(isTalk ? "./talk.mjs" : "../src/main.ts")
    return
  }
  await import("../../../scripts/gate.cjs")
  process.argv.splice(2, 0, "node", fileURLToPath(import.meta.url))
  await import("../../../scripts/run.mjs")
}

begin()
