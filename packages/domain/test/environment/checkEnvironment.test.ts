import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { checkEnvironment } from "../../src/environment/checkEnvironment.ts"
import { defaults, EnvironmentConfig } from "../../src/environment/EnvironmentConfig.ts"

const known = { backends: ["moon"], profiles: ["gitlab"], hostVariables: ["CORPORATE_CA"] }

const problems = (config: Partial<EnvironmentConfig>) =>
  checkEnvironment({ ...defaults, ...config }, known).map(({ issue, path }) => `${path.join(".")}: ${issue}`)

const packages = { ...defaults.packages, apt: ["jq"], npm: ["left-pad"] }

describe("checkEnvironment", () => {
  it("takes what is known, of every runner or of this one", () => {
    assert.deepStrictEqual(problems({}), [])
    assert.deepStrictEqual(problems({ backend: "docker", dockerfile: "FROM debian:12" }), [])
    assert.deepStrictEqual(problems({ backend: "moon", preparation: { profile: "gitlab", options: { any: "x" } } }), [])
  })

  it("names an unknown backend and an unknown profile, and what there is", () => {
    assert.deepStrictEqual(problems({ backend: "mars", preparation: { profile: "svn", options: {} } }), [
      "backend: there is no sandbox backend mars; known are bubblewrap, docker, local, moon, none",
      "preparation.profile: there is no preparation profile svn; known are azure, github, gitlab, none"
    ])
  })

  it("names variables of hosts that nobody passes on, where all say which they do", () => {
    const hostVariables = ["CORPORATE_CA", "HOME"]
    assert.deepStrictEqual(problems({ hostVariables }), [
      "hostVariables.1: no runner passes on HOME of its host (passed on are CORPORATE_CA): its owner allows a name by TROUPE_RUNNER_HOST_VARIABLES"
    ])
    const asked = { ...defaults, hostVariables }
    assert.match(checkEnvironment(asked, { ...known, hostVariables: [] })[0]!.issue, /passed on are none/)
    assert.deepStrictEqual(checkEnvironment(asked, { ...known, hostVariables: null }), [])
  })

  it("refuses a Dockerfile and an image where no images run", () => {
    const dockerfile = "FROM debian:12"
    assert.deepStrictEqual(problems({ dockerfile }), ["dockerfile: a Dockerfile needs the backend docker"])
    assert.deepStrictEqual(problems({ backend: "bubblewrap", dockerfile }), [
      "dockerfile: a Dockerfile needs the backend docker"
    ])
    assert.deepStrictEqual(problems({ backend: "local", image: "debian:12" }), [
      "image: the backend local runs no images"
    ])
  })

  it("refuses what would change the host, and only that", () => {
    assert.deepStrictEqual(problems({ backend: "local", packages, setup: "true" }), [
      "packages.apt: the backend local would change the host",
      "setup: the backend local would let it change the host"
    ])
  })

  it("refuses everything that would have to run where nothing runs", () => {
    const preparation = { profile: "gitlab", options: {} }
    assert.deepStrictEqual(
      checkEnvironment({ ...defaults, backend: "none", packages, setup: "true", preparation }, known).map(({ path }) =>
        path.join(".")
      ),
      ["packages.apt", "packages.npm", "setup", "preparation.profile"]
    )
  })

  it("knows the options of the built-in profiles", () => {
    assert.deepStrictEqual(problems({ preparation: { profile: "github", options: { name: "Ada", tokn: "x" } } }), [
      "preparation.options.email: the profile github needs it",
      "preparation.options.tokn: the profile github has no such option"
    ])
    const options = { tenant: "t", client: "c", passwordSecret: "AZURE_PASSWORD" }
    assert.deepStrictEqual(problems({ preparation: { profile: "azure", options } }), [])
  })
})

describe("EnvironmentConfig", () => {
  const decodes = Schema.is(EnvironmentConfig)

  it("takes for an image what can be the name of one", () => {
    for (const image of ["debian:12", "registry.example:5000/team/base@sha256:00"]) {
      assert.isTrue(decodes({ ...defaults, image }), image)
    }
    for (const image of ["", "debian 12", "debian\n12", "debian\u0000"]) {
      assert.isFalse(decodes({ ...defaults, image }), JSON.stringify(image))
    }
  })

  it("says what becomes of a sandbox", () => {
    assert.isTrue(decodes(defaults))
    const lifecycle = { onCompletion: "delete", keepFailed: true, ttlSeconds: 3_600 }
    assert.isTrue(decodes({ ...defaults, lifecycle }))
    assert.isFalse(decodes({ ...defaults, lifecycle: { ...lifecycle, onCompletion: "burn" } }))
    assert.isFalse(decodes({ ...defaults, lifecycle: { ...lifecycle, ttlSeconds: 1 } }))
  })
})
