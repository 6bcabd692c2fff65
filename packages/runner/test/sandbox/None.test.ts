import { describe } from "@effect/vitest"
import { none } from "../../src/sandbox/None.ts"
import { holdsTo } from "./conformance.ts"

describe("none", () => {
  holdsTo({ backend: none, promises: ["absent"] })
})
