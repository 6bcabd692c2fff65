import { assert, describe, it } from "@effect/vitest"
import { type Variable, variableNames, variables } from "@troupe/domain/Variables"
import { Redacted } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { load, tellings, type UpConfig } from "../../src/up/UpConfig.ts"

const withHome = <A>(work: (home: string) => A): A => {
  const home = mkdtempSync(join(tmpdir(), "troupe-config-"))
  try {
    return work(home)
  } finally {
    rmSync(home, { recursive: true })
  }
}

const secretsOf = ({ node, postgres, runner }: UpConfig) => ({
  node: Object.keys(Redacted.value(node.secrets)),
  runner: Object.keys(Redacted.value(runner.secrets)),
  postgres: Object.keys(Redacted.value(postgres.secrets))
})

describe("What the all-in-one start is told", () => {
  it("comes from the environment, then from config.json", () =>
    withHome((home) => {
      writeFileSync(join(home, "config.json"), JSON.stringify({ TROUPE_PORT: 5000, TROUPE_HOST: "::1" }))
      const { host, port } = load({ TROUPE_HOME: home, TROUPE_PORT: "6000" })
      assert.deepStrictEqual({ host, port }, { host: "::1", port: 6000 })
    }))

  it("gives each secret to the one process that needs it, and to no environment", () =>
    withHome((home) => {
      const config = load({
        TROUPE_HOME: home,
        DATABASE_URL: "postgres://me:pass@db/troupe",
        TROUPE_MASTER_KEY: "master",
        TROUPE_API_KEY: "k".repeat(32),
        OPENAI_API_KEY: "openai",
        ANTHROPIC_API_KEY: "anthropic",
        TAVILY_API_KEY: "tavily",
        AWS_SECRET_ACCESS_KEY: "aws",
        TROUPE_RUNNER_HOST_VARIABLES: "MINE",
        MINE: "mine"
      })
      const secrets = secretsOf(config)
      assert.sameMembers(secrets.node, ["DATABASE_URL", "TROUPE_MASTER_KEY", "TROUPE_API_KEY"])
      assert.sameMembers(secrets.runner, ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "TAVILY_API_KEY", "MINE"])
      assert.deepStrictEqual(secrets.postgres, [])
      for (const { environment } of [config.node, config.runner, config.postgres]) {
        for (const value of ["pass", "master", "openai", "anthropic", "tavily", "aws", "mine", "k".repeat(32)]) {
          assert.notInclude(JSON.stringify(Object.values(environment)), `"${value}"`)
        }
      }
    }))

  it("gives node and runner the collector of traces, and its key through a pipe", () =>
    withHome((home) => {
      const [endpoint, headers] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"] as const
      const config = load({ TROUPE_HOME: home, [endpoint]: "http://collector:4318", [headers]: "api-key=hush" })
      for (const { environment, secrets } of [config.node, config.runner]) {
        assert.strictEqual(environment[endpoint], "http://collector:4318")
        assert.notInclude(JSON.stringify(environment), "hush")
        assert.strictEqual(Redacted.value(secrets)[headers], "api-key=hush")
      }
      assert.notInclude(JSON.stringify([config.postgres.environment, Redacted.value(config.postgres.secrets)]), "hush")
    }))

  it("gives proxies to the runner alone", () =>
    withHome((home) => {
      const { node, runner } = load({ TROUPE_HOME: home, HTTPS_PROXY: "http://proxy:1" })
      assert.strictEqual(runner.environment["HTTPS_PROXY"], "http://proxy:1")
      assert.isUndefined(node.environment["HTTPS_PROXY"])
    }))

  it("is told in full, with who says it, and no secret of it", () =>
    withHome((home) => {
      const secrets = {
        OPENAI_API_KEY: "openai-hush",
        ANTHROPIC_API_KEY: "hush",
        AZURE_OPENAI_API_KEY: "hush",
        AZURE_OPENAI_AD_TOKEN: "hush",
        TAVILY_API_KEY: "hush",
        OTEL_EXPORTER_OTLP_HEADERS: "api-key=hush",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: "api-key=hush",
        DATABASE_URL: "postgres://me:hush@db/troupe",
        DATABASE_OWNER_URL: "postgres://me:hush@db/troupe",
        TROUPE_API_KEY: "hush".repeat(8),
        TROUPE_RUNNER_TOKEN: "hush".repeat(8),
        TROUPE_MASTER_KEY: "hush",
        TROUPE_S3_ACCESS_KEY_ID: "hush",
        TROUPE_S3_SECRET_ACCESS_KEY: "hush"
      }
      const inFile = { TROUPE_PORT: 5000, TROUPE_HOST: "::1", TROUPE_LOG: "debug", TROUPE_SERVER: "http://not.asked" }
      writeFileSync(join(home, "config.json"), JSON.stringify({ ...inFile, TROUPE_MASTER_KEY: "hush in a file" }))
      const others = { TROUPE_PORT: "6000", TROUPE_LOG: "", ANTHROPIC_BASE_URL: "https://me:hush@models.example" }
      const all = tellings({ TROUPE_HOME: home, ...secrets, ...others })
      const of = (name: string) => {
        const { source, value } = all.find((told) => told.name === name)!
        return [value, source]
      }
      assert.notInclude(JSON.stringify(all), "hush")
      for (const name of Object.keys(secrets)) assert.deepStrictEqual(of(name), ["set", "environment"], name)
      assert.deepStrictEqual(
        ["TROUPE_HOME", "TROUPE_PORT", "TROUPE_HOST", "TROUPE_LOG", "TROUPE_SERVER", "ANTHROPIC_BASE_URL"].map(of),
        [
          [home, "environment"],
          ["6000", "environment"],
          ["::1", "config.json"],
          ["info", "default"],
          [null, "default"],
          ["set", "environment"]
        ]
      )
      assert.deepStrictEqual(
        tellings({ TROUPE_HOME: home }).find(({ name }) => name === "TROUPE_MASTER_KEY")!.value,
        "set"
      )
    }))

  it("keeps what is secret of it from every environment, as its declaration says", () =>
    withHome((home) => {
      const secrets = variableNames.filter((name) => (variables[name] as Variable).isSecret === true)
      const long = (name: string) => (name.startsWith("DATABASE") ? `postgres://me:${name}@db/x` : name.repeat(4))
      const config = load({ TROUPE_HOME: home, ...Object.fromEntries(secrets.map((name) => [name, long(name)])) })
      const environments = JSON.stringify([config.node, config.runner, config.postgres].map((one) => one.environment))
      assert.isAbove(secrets.length, 10)
      for (const name of secrets) assert.notInclude(environments, name)
    }))

  it("keeps a runner's state for each database, whoever connects to it", () =>
    withHome((home) => {
      const stateOf = (url?: string) =>
        load({ TROUPE_HOME: home, ...(url === undefined ? {} : { DATABASE_URL: url }) }).runnerState
      assert.strictEqual(stateOf(), join(home, "runner"))
      assert.strictEqual(stateOf("postgres://a:1@db/troupe"), stateOf("postgres://b:2@db/troupe"))
      assert.notStrictEqual(stateOf("postgres://a@db/troupe"), stateOf("postgres://a@db/other"))
    }))

  it.each([
    [{ TROUPE_PORT: "70000" }, "TROUPE_PORT"],
    [{ TROUPE_PORT: "-1" }, "TROUPE_PORT"],
    [{ TROUPE_API_KEY: "short" }, "TROUPE_API_KEY"],
    [{ TROUPE_RUNNER_TOKEN: "short" }, "TROUPE_RUNNER_TOKEN"],
    [{ DATABASE_URL: "host/db" }, "DATABASE_URL"],
    [{ TROUPE_RUNNER_STOP_GRACE_MS: "soon" }, "TROUPE_RUNNER_STOP_GRACE_MS"]
  ])("is refused by name where it can't be used: %j", (environment, name) =>
    withHome((home) => {
      assert.throws(() => load({ TROUPE_HOME: home, ...environment }), name)
    })
  )

  it.each(["[]", "nothing", `{"TROUPE_PORT": {}}`])("is refused where config.json is %s", (content) =>
    withHome((home) => {
      writeFileSync(join(home, "config.json"), content)
      assert.throws(() => load({ TROUPE_HOME: home }), "can't be used")
    })
  )
})
