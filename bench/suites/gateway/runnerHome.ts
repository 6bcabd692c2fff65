import { chmodSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A home of a runner that reaches the instant models. */
export const runnerHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), "troupe-bench-runner-"))
  chmodSync(home, 0o711)
  const module = new URL("./instantModel.ts", import.meta.url).pathname
  writeFileSync(
    join(home, "models.json"),
    JSON.stringify({ providers: [{ name: "instant", kind: "module", module }] }),
    { mode: 0o600 }
  )
  return home
}
