#!/usr/bin/env node
// Holds the backend that a module exports to the suite, and says of each check whether it is kept. Argument: the module.
import { Effect } from "effect"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import type { SandboxBackend } from "../Sandbox.ts"
import { hold } from "./hold.ts"

const [path] = process.argv.slice(2)
if (path === undefined) {
  console.error("Name the module that exports a backend: troupe-sandbox-conformance ./my-backend.js")
  process.exit(2)
}
const loaded = (await import(pathToFileURL(resolve(path)).href)) as Readonly<Record<string, SandboxBackend | undefined>>
const backend = loaded["backend"] ?? loaded["default"]
if (backend === undefined) {
  console.error(`${path} exports neither backend nor a default`)
  process.exit(2)
}

const { probe, verdicts } = await Effect.runPromise(
  hold(backend, {
    tell: ({ failure, name, subject }) =>
      console.log(failure === null ? `kept    ${subject}: ${name}` : `BROKEN  ${subject}: ${name}\n        ${failure}`)
  })
)
for (const note of probe.notes) console.log(`note    ${note}`)
const broken = verdicts.filter(({ failure }) => failure !== null).length
console.log(
  `${backend.name} is ${probe.usable ? "usable" : "not usable"} here, and keeps ${verdicts.length - broken} of ${verdicts.length} promises`
)
process.exitCode = probe.usable && broken === 0 ? 0 : 1
