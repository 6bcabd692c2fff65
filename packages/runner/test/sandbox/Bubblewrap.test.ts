import { requires } from "../../../../test/requires.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { subjects } from "../../src/sandbox/conformance/Check.ts"
import { holdsTo } from "./conformance.ts"

requires("bubblewrap", "root")("bubblewrap", () => {
  holdsTo({ backend: bubblewrap(), promises: subjects.filter((subject) => subject !== "absent") })
})
