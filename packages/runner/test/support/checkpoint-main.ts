// Captures or restores a working copy and says each request for blobs, so that it can be killed between and within them.
import { Effect } from "effect"
import { writeSync } from "node:fs"
import { capture, restore } from "../../src/workingcopy/Checkpoints.ts"
import { DirectoryBlobs } from "./DirectoryBlobs.ts"

const [, , root = "", state = "", blobs = "", checkpoint] = process.argv
const store = new DirectoryBlobs(blobs, () => writeSync(1, "."))
const tree = { root: { root }, state }
const work = checkpoint === undefined ? capture(tree, store) : restore(tree, checkpoint, store)
writeSync(1, `\n${(await Effect.runPromise(work)).checkpoint}\n`)
