import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Json } from "../../src/Json.ts"
import { type AskedCall, permit, type Permissions } from "../../src/tools/Permission.ts"
import { PermissionPolicy } from "../../src/tools/PermissionPolicy.ts"

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

const given = (permissions: Partial<Permissions>) => ({
  when: (call: AskedCall) => {
    const verdict = permit({ preset: null, policies: [], policy: allowAll, unisolated: false, ...permissions }, call)
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
      { type: "auto" },
      { type: "rules" },
      "always_allow",
      rules({ tool: "bash", then: "maybe" })
    ]) {
      given({ policy }).when(bash("ls")).then("ask", "tools.bash")
      given({ policies: [policy] })
        .when(bash("ls"))
        .then("ask", "policies[0]")
    }
  })

  it("is denied by the first that denies, wherever it stands", () => {
    const policies = [
      rules({ tool: "*", then: "allow" }),
      rules({ tool: "x", then: "deny" }, { tool: "bash", then: "deny" })
    ]
    given({ policies }).when(bash("ls")).then("deny", "policies[1].rules[1]")
    given({ policies: [rules({ tool: "*", then: "ask" })], policy: rules({ tool: "bash", then: "deny" }) })
      .when(bash("ls"))
      .then("deny", "tools.bash.rules[0]")
    given({ policies: [rules({ tool: "bash", then: "allow" }, { tool: "bash", then: "deny" })] })
      .when(bash("ls"))
      .then("deny", "policies[0].rules[1]")
  })

  it("comes from the first layer that says anything, if none denies", () => {
    const policies = [rules({ tool: "bash", when: { command: "git status*" }, then: "allow" })]
    given({ policies, policy: { type: "always_ask" } })
      .when(bash("git status --short"))
      .then("allow", "policies[0].rules[0]")
    given({ policies, policy: { type: "always_ask" } })
      .when(bash("git push"))
      .then("ask", "tools.bash.always_ask")
    given({ policy: rules({ tool: "bash", when: { command: "ls*" }, then: "allow" }) })
      .when(bash("rm x"))
      .then("ask", "tools.bash.otherwise")
  })

  it("asks for all that is not read-only where nothing isolates, unless a rule allows it", () => {
    given({ unisolated: true }).when(bash("ls")).then("ask", "isolation.none")
    given({ unisolated: true }).when(read("a")).then("allow", "tools.read.always_allow")
    const policies = [rules({ tool: "bash", when: { command: "ls" }, then: "allow" })]
    given({ unisolated: true, policies }).when(bash("ls")).then("allow", "policies[0].rules[0]")
  })

  it("is only ever lessened by a preset", () => {
    given({ preset: "read_only" }).when(bash("ls")).then("deny", "preset.read_only")
    given({ preset: "read_only" }).when(read("a")).then("allow", "tools.read.always_allow")
    given({ preset: "ask", policies: [rules({ tool: "*", then: "allow" })] })
      .when(bash("ls"))
      .then("ask", "preset.ask")
    given({ preset: "default" }).when(bash("ls")).then("allow", "tools.bash.always_allow")
    given({ preset: "trust me" }).when(read("a")).then("ask", "preset.trust me")
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
    asks.when(bash(" git log --format='%H' ")).then("allow", "policies[0].rules[0]")
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
      denies.when(bash(script)).then("deny", "policies[0].rules[0]")
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
      denies.when(write(path)).then("deny", "policies[0].rules[0]")
    }
    for (const path of ["secret", "deep/x.env", "/workspace/secrets/../a"]) {
      denies.when(write(path)).then("allow", "tools.write.always_allow")
    }
  })

  it("needs every argument of a rule, and compares others as JSON", () => {
    const call = { ...bash("ls"), input: { command: "ls", n: 3 } }
    const both = given({ policies: [rules({ tool: "bash", when: { command: "ls", n: "3" }, then: "deny" })] })
    both.when(call).then("deny", "policies[0].rules[0]")
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
      .then("deny", "policies[0].rules[0]")
    given({ policies: [rules({ tool: "gitlab/*", then: "deny" })] })
      .when(call)
      .then("allow", "tools.create_issue.always_allow")
  })

  it.prop(
    "is never more than the strictest word that was said",
    [
      Schema.Array(PermissionPolicy),
      PermissionPolicy,
      Schema.Literals(["default", "ask", "read_only", "other"]),
      Schema.Boolean
    ],
    ([policies, policy, preset, unisolated]) => {
      const call = bash("ls -l")
      const alone = (one: PermissionPolicy) =>
        permit({ preset: null, policies: [one], policy: allowAll, unisolated: false }, call)
      const verdict = permit({ preset, policies, policy, unisolated }, call)
      const denied = policies.some((one) => alone(one).permission === "deny") || preset === "read_only"
      if (denied) assert.strictEqual(verdict.permission, "deny")
      if (preset === "ask" || preset === "other") assert.notStrictEqual(verdict.permission, "allow")
      assert.notStrictEqual(verdict.rule, "")
    }
  )
})
