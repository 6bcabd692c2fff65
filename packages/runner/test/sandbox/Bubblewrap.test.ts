import { requires } from "../../../../test/requires.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { subjects } from "../../src/sandbox/conformance/Check.ts"
import { holdsTo } from "./conformance.ts"

const promises = subjects.filter((subject) => subject !== "absent")

requires("bubblewrap", "root")("bubblewrap", () => {
  holdsTo({ backend: bubblewrap(), promises })
})

requires("bubblewrap", "root")("bubblewrap without control groups, and with our own relay", () => {
  holdsTo({
    backend: bubblewrap({ cgroupRoot: null, relay: "own" }),
    promises: promises.filter((subject) => subject !== "cpus")
  })
})
