import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { root } from "./support/repository.ts"

const releases = {
  debian: "ID=debian\nVERSION_ID=12\n",
  mint: 'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
  rocky: 'ID="rocky"\nID_LIKE="rhel centos fedora"\n',
  alpine: "ID=alpine\n",
  arch: "ID=arch\n"
}

describe("the offer to install bubblewrap", () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "troupe-system-"))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const program = (name: string, script: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })

  /** A package manager that notes how it was called. */
  const manager = (name: string, then: string) => program(name, `echo "${name} $*" >> ${folder}/calls; ${then}`)
  const tools = { bwrap: "", prlimit: "", setsid: "", setpriv: "echo --pdeathsig" }
  const installs = (what: object = tools) =>
    Object.entries(what)
      .map(([name, does]) => `printf '#!/bin/sh\\n${does}\\n' > ${folder}/${name}; /bin/chmod 755 ${folder}/${name}`)
      .join("; ")
  const calls = () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n")

  const offer = (
    release: keyof typeof releases,
    { env = {}, isRoot = true, platform = "linux" }: { env?: object; isRoot?: boolean; platform?: string } = {}
  ) => {
    const given = { env: { PATH: folder, ...env }, isRoot, platform, osRelease: releases[release] }
    const script = `
      import { offerSandbox } from ${JSON.stringify(pathToFileURL(join(root, "scripts/system.mjs")).href)}
      const outcome = offerSandbox({ ...${JSON.stringify(given)}, say: (sentence) => console.log(sentence) })
      console.log(outcome)`
    const { stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" })
    assert.strictEqual(stderr, "")
    const lines = stdout.trim().split("\n")
    return { outcome: lines.pop(), said: lines.join("\n") }
  }

  it("is silent where all of it is there", () => {
    for (const [name, does] of Object.entries(tools)) program(name, does)
    assert.deepStrictEqual(offer("debian"), { outcome: "present", said: "" })
  })

  it("is made where something of util-linux is missing, or is Busybox's", () => {
    for (const [name, does] of Object.entries(tools)) program(name, does)
    program("setpriv", "echo Usage: setpriv PROG")
    rmSync(join(folder, "prlimit"))
    const { outcome, said } = offer("alpine", { isRoot: false })
    assert.strictEqual(outcome, "missing")
    assert.include(said, "this host lacks prlimit, setpriv of util-linux.")
    assert.include(said, "run: sudo apk add bubblewrap socat util-linux-misc setpriv coreutils")
  })

  it.each([
    ["debian", "apt-get", "apt-get install -y -qq --no-install-recommends bubblewrap socat"],
    ["mint", "apt-get", "apt-get install -y -qq --no-install-recommends bubblewrap socat"],
    [
      "rocky",
      "dnf",
      "dnf install -y -q --setopt=install_weak_deps=False bubblewrap socat /usr/bin/setpriv /usr/bin/prlimit /usr/bin/script"
    ],
    ["alpine", "apk", "apk add --no-cache -q bubblewrap socat util-linux-misc setpriv coreutils"]
  ] as const)("installs it on %s with %s, says so and how to decline", (release, name, call) => {
    manager(name, installs())
    const { outcome, said } = offer(release)
    assert.strictEqual(outcome, "installed")
    assert.include(said, `with ${name}`)
    assert.include(said, "TROUPE_NO_SYSTEM_INSTALL=1 declines")
    assert.deepStrictEqual(calls(), [call])
  })

  it("fetches Debian's lists where they are empty", () => {
    manager(
      "apt-get",
      `case "$1" in update) : > ${folder}/lists;; *) [ -e ${folder}/lists ] && { ${installs()}; };; esac`
    )
    assert.strictEqual(offer("debian").outcome, "installed")
    assert.deepStrictEqual(
      calls().map((call) => call.split(" ")[1]),
      ["install", "update", "install"]
    )
  })

  it("goes on where it fails, and says what to do", () => {
    manager("dnf", "exit 1")
    const { outcome, said } = offer("rocky")
    assert.strictEqual(outcome, "missing")
    assert.include(said, "run: dnf install bubblewrap socat")
    assert.include(said, "ask before each use")
  })

  it("does not believe a manager that left nothing, or too little", () => {
    manager("apk", "true")
    assert.strictEqual(offer("alpine").outcome, "missing")
    manager("apk", installs({ bwrap: "", setpriv: "" }))
    const { outcome, said } = offer("alpine")
    assert.strictEqual(outcome, "missing")
    assert.include(said, "Installing prlimit, setsid, setpriv of util-linux failed")
  })

  it("installs nothing where that is declined, nobody is root, or the system is another", () => {
    for (const name of ["apt-get", "dnf", "apk"]) manager(name, installs())
    const declined = offer("debian", { env: { TROUPE_NO_SYSTEM_INSTALL: "1" } })
    assert.strictEqual(declined.outcome, "declined")
    assert.include(declined.said, "run: apt-get install bubblewrap socat")
    const user = offer("debian", { isRoot: false })
    assert.strictEqual(user.outcome, "missing")
    assert.include(user.said, "run: sudo apt-get install bubblewrap socat")
    assert.include(offer("arch").said, "install the packages bubblewrap, socat and util-linux of your system")
    assert.include(offer("debian", { platform: "darwin" }).said, "Sandboxes need Linux")
    assert.throws(calls)
  })
})
