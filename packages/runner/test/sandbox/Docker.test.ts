import { requires } from "../../../../test/requires.ts"
import { subjects } from "../../src/sandbox/conformance/Check.ts"
import { defaults, make } from "../../src/sandbox/docker/DockerBackend.ts"
import { holdsTo } from "./conformance.ts"

requires("docker", "root")("docker", () => {
  holdsTo({
    backend: make({ ...defaults, owner: `test-${process.pid}` }),
    promises: subjects.filter((subject) => subject !== "absent"),
    // An engine starts one container after the other, and what waits for it would seem to take long.
    atOnce: 1
  })
})
