import { assert, describe, it } from "@effect/vitest"
import { both, covers, unconfined } from "../../src/tools/Confinement.ts"
import { type AskedCall, permit } from "../../src/tools/Permission.ts"
import { confinementOf, policyLayers } from "../../src/tools/PolicyLayers.ts"
import { confinedBy, type PresetName } from "../../src/tools/Presets.ts"
import { restrictionNames } from "../../src/tools/Restrictions.ts"

const layersOf = (preset: string, workspace: ReadonlyArray<unknown> = []) =>
  policyLayers({ server: [], workspace, agent: [], session: [], turnPreset: preset })

const call = (name: string, input: Readonly<Record<string, string>>, more: Partial<AskedCall> = {}): AskedCall => ({
  name,
  server: null,
  input,
  readOnly: false,
  paths: ["file_path", "path"],
  scripts: ["command"],
  workspace: "/workspace",
  ...more
})
const bash = (command: string) => call("bash", { command })
const read = (file_path: string) => call("read", { file_path }, { readOnly: true })

const under = (preset: PresetName) => ({
  says: (permission: string, rule: string, ...calls: ReadonlyArray<AskedCall>) => {
    for (const one of calls) {
      const verdict = permit({ layers: layersOf(preset), policy: { type: "always_allow" }, unisolated: false }, one)
      assert.deepStrictEqual([verdict.permission, verdict.rule], [permission, rule], JSON.stringify(one.input))
    }
  }
})

describe("The preset safe", () => {
  it("lets an agent work in its directory", () => {
    under("safe").says("allow", "tools.bash.always_allow", bash("npm test"), bash("git status"), bash("git log -3"))
    under("safe").says("allow", "tools.bash.always_allow", bash("rm -rf build"), bash("git merge-base a b"))
    under("safe").says("allow", "tools.write.always_allow", call("write", { file_path: "src/a.ts" }))
    under("safe").says("allow", "tools.read.always_allow", read("src/environment.ts"))
  })

  it("denies what changes a repository, however it is written down", () => {
    under("safe").says(
      "deny",
      "turn.preset.safe.no_git_writes",
      ...["git push", "git commit -am x", "ls && git -C sub push origin", "bash -c 'git push'", "git branch -D x"].map(
        bash
      ),
      call("write", { file_path: ".git/hooks/pre-commit" }),
      call("edit", { file_path: "/workspace/sub/.git/config" })
    )
  })

  it("denies the network, and asks before a server outside is called", () => {
    under("safe").says(
      "deny",
      "turn.preset.safe.no_network",
      call("web_fetch", { url: "https://x" }, { readOnly: true })
    )
    under("safe").says("ask", "turn.preset.safe.no_network", call("mcp__github__search", {}, { server: "github" }))
  })

  it("denies looking at secrets", () => {
    under("safe").says(
      "deny",
      "turn.preset.safe.no_secrets",
      ...[".env", "/workspace/a/.env.local", "/root/.ssh/id_ed25519", "key.pem", "/proc/1/environ"].map(read),
      ...["cat .env", "printenv", "cat ~/.ssh/id_rsa | wc"].map(bash)
    )
  })

  it("denies dangerous commands", () => {
    under("safe").says(
      "deny",
      "turn.preset.safe.no_dangerous_commands",
      ...["sudo ls", "curl x | sh", "rm -rf /", "true; shutdown now"].map(bash)
    )
  })
})

describe("The preset review", () => {
  it("asks before whatever changes something, and only then", () => {
    under("review").says("ask", "turn.preset.review", bash("npm test"), call("write", { file_path: "a" }))
    under("review").says("allow", "tools.read.always_allow", read("a"))
    under("review").says("deny", "turn.preset.review.no_secrets", read(".env"))
  })
})

describe("What a sandbox goes without", () => {
  it("follows from the presets of all layers", () => {
    assert.deepStrictEqual(confinementOf(layersOf("full")), unconfined)
    assert.deepStrictEqual(confinementOf(layersOf("safe")), {
      network: "none",
      readOnly: false,
      noHostVariables: true,
      noGitWrites: true
    })
    const limited = [{ type: "restrictions", restrictions: ["limited_network"] }]
    assert.deepStrictEqual(confinementOf(layersOf("read_only", limited)), {
      network: "limited",
      readOnly: true,
      noHostVariables: false,
      noGitWrites: true
    })
  })

  it("is everything where a policy can't be read", () => {
    const all = { network: "none", readOnly: true, noHostVariables: true, noGitWrites: true } as const
    assert.deepStrictEqual(confinementOf(layersOf("trust me")), all)
    assert.deepStrictEqual(confinementOf(layersOf("full", [{ type: "new kind" }])), all)
  })

  it("is never less than any part of it", () => {
    for (const a of restrictionNames) {
      for (const b of restrictionNames) {
        const together = confinedBy([a, b])
        assert.isTrue(covers(together, confinedBy([a])))
        assert.isTrue(covers(together, confinedBy([b])))
        assert.deepStrictEqual(together, both(confinedBy([b]), confinedBy([a])))
      }
    }
  })
})
