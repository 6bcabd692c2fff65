import { tmpdir } from "node:os"
import { join } from "node:path"
import { mkdtempSync, chmodSync } from "node:fs"
import { demo } from "./demo.ts"

// A home of its own, so that nothing of anybody's is touched.
const home = mkdtempSync(join(tmpdir(), "troupe-demo-"))
// Sandboxes and Postgres may run as other accounts, which pass through it.
chmodSync(home, 0o711)
process.exitCode = await demo({ ...process.env, TROUPE_HOME: home, TROUPE_PORT: "0", DATABASE_URL: "" }, home)
