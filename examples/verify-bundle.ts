// Checks an exported session, offline: that its log is whole, and that it was decided by the rules that are in force.
import { verifyBundle } from "@troupe/client/verifyBundle"
import { createReadStream } from "node:fs"

const file = process.argv[2] ?? "packages/domain/test/golden/v0.1.0.jsonl"
const report = await verifyBundle(createReadStream(file, { encoding: "utf8" }))

console.log(report.ok ? "Nothing was changed." : "This is not what happened:")
for (const finding of report.chain.findings) console.log(finding)
