// Prints the same under Node, Deno and Bun, or the domain has come to depend on one of them.
import { Result } from "effect"
import { sha256 } from "@troupe/domain/log/Sha256"
import { readBundle, stateDigest, verifyBundle } from "@troupe/domain/replay/Bundle"
import * as Codec from "@troupe/domain/session/Codec"
import { fold } from "@troupe/domain/session/evolve"
import { sessionStatus } from "@troupe/domain/session/standing"
import { readFileSync } from "node:fs"

const file = new URL("../../packages/domain/test/golden/v0.1.0.jsonl", import.meta.url)
const bundle = Result.getOrThrow(readBundle(readFileSync(file, "utf8").trimEnd().split("\n")))
const state = fold(bundle.events.map((event) => Result.getOrThrow(Codec.decodeStrict(event))))

console.log(bundle.events.length, verifyBundle(bundle, sha256).ok, stateDigest(sha256, state))
if (state._tag === "Open") console.log(JSON.stringify(sessionStatus(state)))
