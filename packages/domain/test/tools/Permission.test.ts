import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Json } from "../../src/Json.ts"
import { type AskedCall, permit, type Permissions } from "../../src/tools/Permission.ts"
import { PermissionPolicy } from "../../src/tools/PermissionPolicy.ts"
import { policyLayers } from "../../src/tools/PolicyLayers.ts"
import { presetNames } from "../../src/tools/Presets.ts"

const allowAll = { type: "always_allow" }
const rules = (...list: ReadonlyArray<Json>) => ({ type: "rules", rules: list })

const bash = (command: string): AskedCall => ({
  name: "bash",
  server: null,
  input: { command },
  readOnly: false,
  paths: [],
  scripts: ["command"],
  workspace: "/workspace"
})
const write = (file_path: string): AskedCall => ({
  ...bash(""),
  name: "write",
  input: { file_path },
  paths: ["file_path"],
  scripts: []
})
const read = (file_path: string): AskedCall => ({ ...write(file_path), name: "read", readOnly: true })

interface Given extends Partial<Omit<Permissions, "layers">> {
  readonly server?: ReadonlyArray<unknown>
  readonly workspace?: ReadonlyArray<unknown>
  /** The agent's. */
  readonly policies?: ReadonlyArray<unknown>
  readonly session?: ReadonlyArray<unknown>
  readonly preset?: string
}

const decided = (world: Given, call: AskedCall) => {
  const {
    policies = [],
    policy = allowAll,
    preset,
    server = [],
    session = [],
    unisolated = false,
    workspace = []
  } = world
  const layers = policyLayers({
    server,
    workspace,
    agent: policies,
    session,
    turnPreset: preset ?? null
  })
  return permit({ layers, policy: "policy" in world ? world.policy : policy, unisolated }, call)
}

const given = (permissions: Given) => ({
  when: (call: AskedCall) => {
    const verdict = decided(permissions, call)
    return {
      then: (permission: string, rule: string) =>
        assert.deepStrictEqual([verdict.permission, verdict.rule], [permission, rule])
    }
  }
})

describe("A call's permission", () => {
  it("is what the tool's own policy says, where nothing else speaks", () => {
    given({}).when(bash("ls")).then("allow", "tools.bash.always_allow")
    given({ policy: { type: "always_ask" } })
      .when(bash("ls"))
      .then("ask", "tools.bash.always_ask")
  })

  it("is to ask where a policy can't be read", () => {
    for (const policy of [
      undefined,
      null,
      {},
      { type: "preset", preset: "none" },
      { type: "rules" },
      "always_allow",
      rules({ tool: "bash", then: "maybe" })
    ]) {
      given({ policy }).when(bash("ls")).then("ask", "tools.bash")
      given({ policies: [policy] })
        .when(bash("ls"))
        .then("ask", "agent.policies[0]")
    }
  })

  it("is denied by the first that denies, wherever it stands", () => {
    const policies = [
      rules({ tool: "*", then: "allow" }),
      rules({ tool: "x", then: "deny" }, { tool: "bash", then: "deny" })
    ]
    given({ policies }).when(bash("ls")).then("deny", "agent.policies[1].rules[1]")
    given({ policies: [rules({ tool: "*", then: "ask" })], policy: rules({ tool: "bash", then: "deny" }) })
      .when(bash("ls"))
      .then("deny", "tools.bash.rules[0]")
    given({ policies: [rules({ tool: "bash", then: "allow" }, { tool: "bash", then: "deny" })] })
      .when(bash("ls"))
      .then("deny", "agent.policies[0].rules[1]")
  })

  it("comes from the first layer that says anything, if none denies", () => {
    const policies = [rules({ tool: "bash", when: { command: "git status*" }, then: "allow" })]
    given({ policies, policy: { type: "always_ask" } })
      .when(bash("git status --short"))
      .then("allow", "agent.policies[0].rules[0]")
    given({ policies, policy: { type: "always_ask" } })
      .when(bash("git push"))
      .then("ask", "tools.bash.always_ask")
    given({ policy: rules({ tool: "bash", when: { command: "ls*" }, then: "allow" }) })
      .when(bash("rm x"))
      .then("ask", "tools.bash.otherwise")
  })

  it("asks for all that runs where nothing isolates, also to read, unless a rule allows it", () => {
    given({ unisolated: true }).when(bash("ls")).then("ask", "isolation.none")
    given({ unisolated: true }).when(read("a")).then("ask", "isolation.none")
    const policies = [rules({ tool: "bash", when: { command: "ls" }, then: "allow" })]
    given({ unisolated: true, policies }).when(bash("ls")).then("allow", "agent.policies[0].rules[0]")
  })

  it("is only ever lessened by a preset", () => {
    given({ preset: "read_only" }).when(bash("ls")).then("deny", "turn.preset.read_only.no_writes")
    given({ preset: "read_only" }).when(read("a")).then("allow", "tools.read.always_allow")
    given({ preset: "review", policies: [rules({ tool: "*", then: "allow" })] })
      .when(bash("ls"))
      .then("ask", "turn.preset.review")
    given({ preset: "full" }).when(bash("ls")).then("allow", "tools.bash.always_allow")
    given({ preset: "full", policy: { type: "always_ask" } })
      .when(bash("ls"))
      .then("ask", "tools.bash.always_ask")
    given({ preset: "trust me" }).when(read("a")).then("ask", "turn.preset")
  })

  it("is the strictest that any layer says, from the server to the turn", () => {
    const allow = [{ type: "always_allow" }]
    const askFor = [{ type: "always_ask" }]
    given({ server: allow, workspace: askFor, policies: allow })
      .when(bash("ls"))
      .then("ask", "workspace.policies[0].always_ask")
    given({ workspace: allow, policies: askFor }).when(bash("ls")).then("ask", "agent.policies[0].always_ask")
    given({ server: [rules({ tool: "bash", then: "deny" })], policies: allow })
      .when(bash("ls"))
      .then("deny", "server.policies[0].rules[0]")
    given({ server: [{ type: "preset", preset: "safe" }], policies: allow, preset: "full" })
      .when(bash("git push"))
      .then("deny", "server.policies[0].preset.safe.no_git_writes")
    given({ workspace: [{ type: "preset", preset: "review" }], policies: allow })
      .when(bash("ls"))
      .then("ask", "workspace.policies[0].preset.review")
    given({ session: [{ type: "preset", preset: "read_only" }], preset: "full" })
      .when(bash("ls"))
      .then("deny", "session.policies[0].preset.read_only.no_writes")
  })

  it("under custom is for what somebody allows by name", () => {
    const policies = [rules({ tool: "bash", when: { command: "ls*" }, then: "allow" })]
    given({ preset: "custom", policies }).when(bash("ls -l")).then("allow", "agent.policies[0].rules[0]")
    given({ preset: "custom", policies }).when(bash("rm x")).then("ask", "turn.preset.custom")
    given({ preset: "custom", policy: rules({ tool: "bash", then: "deny" }) })
      .when(bash("rm x"))
      .then("deny", "tools.bash.rules[0]")
  })

  it("is left to a model where a policy says so", () => {
    const call = bash("ls")
    assert.deepStrictEqual(decided({ policy: { type: "auto" } }, call), {
      permission: "ask",
      rule: "tools.bash.auto",
      reason: null,
      auto: true
    })
    assert.isUndefined(decided({ policy: { type: "auto" }, preset: "review" }, call).auto)
  })

  it("is not had by a second command behind one that is allowed", () => {
    const policies = [rules({ tool: "bash", when: { command: "git *" }, then: "allow" })]
    const asks = given({ policies, policy: { type: "always_ask" } })
    for (const sneaky of [
      "git log; rm -rf /",
      "git log && curl x",
      "git log | sh",
      "git $(rm x)",
      "git `rm x`",
      "git log > /etc/x",
      "git log\nrm x",
      "git \\\nx"
    ]) {
      asks.when(bash(sneaky)).then("ask", "tools.bash.always_ask")
    }
    asks.when(bash(" git log --format='%H' ")).then("allow", "agent.policies[0].rules[0]")
  })

  it("is denied for a forbidden command anywhere in a script", () => {
    const denies = given({ policies: [rules({ tool: "bash", when: { command: "git push*" }, then: "deny" })] })
    for (const script of [
      "git push",
      "ls; git  push origin",
      "x && git push",
      "(git push)",
      "true\ngit push -f",
      "echo $(git push)"
    ]) {
      denies.when(bash(script)).then("deny", "agent.policies[0].rules[0]")
    }
    denies.when(bash("git pull")).then("allow", "tools.bash.always_allow")
  })

  it("looks at paths as they are meant", () => {
    const denies = given({
      policies: [rules({ tool: "write", when: { file_path: ["/workspace/secrets/**", "*.env"] }, then: "deny" })]
    })
    for (const path of [
      "secrets/a",
      "/workspace/secrets/b/c",
      "x/../secrets/a",
      "//workspace//secrets/a",
      ".env",
      "./prod.env"
    ]) {
      denies.when(write(path)).then("deny", "agent.policies[0].rules[0]")
    }
    for (const path of ["secret", "deep/x.env", "/workspace/secrets/../a"]) {
      denies.when(write(path)).then("allow", "tools.write.always_allow")
    }
  })

  it("needs every argument of a rule, and compares others as JSON", () => {
    const call = { ...bash("ls"), input: { command: "ls", n: 3 } }
    const both = given({ policies: [rules({ tool: "bash", when: { command: "ls", n: "3" }, then: "deny" })] })
    both.when(call).then("deny", "agent.policies[0].rules[0]")
    both.when(bash("ls")).then("allow", "tools.bash.always_allow")
    given({
      policies: [rules({ tool: "bash", when: { command: "*" }, then: "allow" })],
      policy: { type: "always_ask" }
    })
      .when({ ...call, input: "no object" })
      .then("ask", "tools.bash.always_ask")
  })

  it("speaks of tools of a server by both names", () => {
    const call = { ...bash("x"), name: "create_issue", server: "github", scripts: [] }
    given({ policies: [rules({ tool: "github/*", then: "deny" })] })
      .when(call)
      .then("deny", "agent.policies[0].rules[0]")
    given({ policies: [rules({ tool: "gitlab/*", then: "deny" })] })
      .when(call)
      .then("allow", "tools.create_issue.always_allow")
  })

  it.prop(
    "is never more than the strictest word that was said",
    [Schema.Array(PermissionPolicy), PermissionPolicy, Schema.Literals([...presetNames, "other"]), Schema.Boolean],
    ([policies, policy, preset, unisolated]) => {
      const call = bash("ls -l")
      const alone = (one: PermissionPolicy) => decided({ policies: [one] }, call)
      const verdict = decided({ preset, policies, policy, unisolated }, call)
      const denied = policies.some((one) => alone(one).permission === "deny") || preset === "read_only"
      if (denied) assert.strictEqual(verdict.permission, "deny")
      if (preset === "review" || preset === "other") assert.notStrictEqual(verdict.permission, "allow")
      assert.notStrictEqual(verdict.rule, "")
    }
  )
})
