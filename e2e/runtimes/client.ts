// The client as a program anywhere uses it: an exported session, checked with nothing but its file.
import { verifyBundle } from "@troupe/client/verifyBundle"
import { createReadStream } from "node:fs"

const file = new URL("../../packages/domain/test/golden/v0.1.0.jsonl", import.meta.url)
const report = await verifyBundle(createReadStream(file, { encoding: "utf8" }))
console.log(report.ok, report.chain.findings.length, report.checkpoints.checked)
