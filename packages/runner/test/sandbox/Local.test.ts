import { requires } from "../../../../test/requires.ts"
import { local } from "../../src/sandbox/Local.ts"
import { holdsTo } from "./conformance.ts"

requires("root")("local", () => {
  holdsTo({ backend: local(), promises: ["running", "cpus", "memory", "disk", "processes", "terminal"] })
})

requires("root")("local without control groups", () => {
  holdsTo({ backend: local({ cgroupRoot: null }), promises: ["running", "memory", "disk", "processes", "terminal"] })
})
