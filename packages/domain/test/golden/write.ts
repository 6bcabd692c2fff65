import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { stateDigest } from "../../src/replay/Bundle.ts"
import { foldVersion } from "../../src/session/SessionState.ts"
import { bundled } from "../support/bundling.ts"
import { sha256 } from "../support/recording.ts"
import { everything } from "./story.ts"

// Writes this release's golden log. Once the release is out, its log is never written again: only what it folds to may
// change, deliberately, together with the fold's version.
const at = (path: string) => new URL(path, import.meta.url)
const { version } = JSON.parse(readFileSync(at("../../../../package.json"), "utf8"))
const log = at(`v${version}.jsonl`)
if (existsSync(log) && !process.argv.includes("--unreleased")) {
  throw new Error(`${log.pathname} is there; pass --unreleased to write it again before v${version} is out`)
}
const recording = everything()
writeFileSync(log, `${bundled(recording).join("\n")}\n`)
const expected = { foldVersion, stateDigest: stateDigest(sha256, recording.state) }
writeFileSync(at(`v${version}.expected.json`), `${JSON.stringify(expected, null, 2)}\n`)
