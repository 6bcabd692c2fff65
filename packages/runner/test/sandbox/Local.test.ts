import { requires } from "../../../../test/requires.ts"
import { local } from "../../src/sandbox/Local.ts"
import { holdsTo } from "./conformance.ts"

requires("root")("local", () => {
  holdsTo({ backend: local(), promises: ["running", "cpus", "memory", "disk", "processes", "terminal"] })
})

requires("root")("local without control groups", () => {
  const promises = ["running", "memory", "disk", "processes", "terminal"] as const
  holdsTo({
    backend: local({ cgroupRoot: null }),
    promises,
    // A runner that is not root has no control groups either, and is held to the rest (Unprivileged.test.ts).
    held: process.env["TROUPE_FULL"] === "1" ? promises : ["memory", "disk", "processes"]
  })
})
