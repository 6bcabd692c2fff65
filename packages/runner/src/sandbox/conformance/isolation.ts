import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, lstatSync, statSync } from "node:fs"
import { join } from "node:path"
import { places } from "../Sandbox.ts"
import { eventually, run, sizeOf, start, writeHost } from "./Bench.ts"
import { type Check, check, equals, holds } from "./Check.ts"

const secret = "a secret of the host"

/** A process of the host that nobody inside may see or touch. */
const hostProcess = Effect.acquireRelease(
  Effect.sync(() => spawn("sleep", ["987654"], { stdio: "ignore" })),
  (child) => Effect.sync(() => child.kill("SIGKILL"))
)

/** Scripts that must fail or say nothing, with what they would have done. */
const refused: ReadonlyArray<readonly [what: string, script: string]> = [
  ["mount a file system", "mkdir -p m; mount -t tmpfs none m"],
  ["mount over the system", "mount --bind /workspace /usr"],
  ["take a mount away", "umount /workspace"],
  ["make a mount namespace", "unshare --mount true"],
  ["make a user namespace", "unshare --user --map-root-user true"],
  ["make a network namespace", "unshare --net true"],
  ["make every namespace", "unshare -U -m -p -n -i -u -f true"],
  ["enter the namespaces of the first process", "nsenter -t 1 -m -p -n true"],
  ["change its root", "chroot / true"],
  ["make a device", "mknod device b 8 0"],
  ["make a memory device", "mknod memory c 1 1"],
  ["read the kernel's memory", "head -c 1 /dev/mem || head -c 1 /proc/kcore"],
  ["read the kernel's log", "dmesg || head -c 1 /dev/kmsg"],
  ["change the kernel's settings", "echo 1 > /proc/sys/kernel/panic"],
  ["call the kernel for help", "echo h > /proc/sysrq-trigger"],
  ["change the host's name", "hostname taken"],
  ["set the clock", "date -s 2001-01-01"],
  ["write to the system", "touch /usr/written"],
  ["write beside the programs", "touch /usr/bin/written"],
  ["write to /etc", "touch /etc/written"],
  ["write to the root", "touch /written"],
  ["write an upload", "touch /mnt/session/uploads/written"],
  ["read the host's passwords", "cat /etc/shadow"],
  ["become root", "su -c true < /dev/null || sudo -n true"],
  [
    "make itself nicer than others",
    "nice -n -10 true 2>&1 | grep -q . && exit 1; nice -n -10 sh -c '[ $(nice) -lt 0 ]'"
  ],
  ["reach Docker", "test -S /var/run/docker.sock || test -S /run/docker.sock"],
  ["reach containerd", "test -S /run/containerd/containerd.sock"],
  ["reach the init of the host", "test -S /run/systemd/private || test -S /run/dbus/system_bus_socket"],
  ["trace another process", "perl -e 'exit(syscall(101, 16, 1, 0, 0) == 0 ? 0 : 1)'"],
  ["write to its control group", "find /sys/fs/cgroup -name cgroup.procs -writable 2>/dev/null | grep -q ."]
]

export const isolation: ReadonlyArray<Check> = [
  check("isolation", "a process is not root, inside or for the host", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const { stdout } = yield* run(sandbox, "id -u; touch mine")
      yield* holds(Number(stdout) > 0, "it is not root inside", stdout)
      yield* holds(lstatSync(join(home.workspace, "mine")).uid !== 0, "what it makes is not root's on the host")
    })
  ),
  check("isolation", "a process has no capabilities, and cannot gain any", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const { stdout } = yield* run(sandbox, ["cat", "/proc/self/status"])
      const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(stdout)?.[1]
      for (const name of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
        yield* equals(field(name), "0000000000000000", name)
      }
      yield* equals(
        [field("NoNewPrivs"), field("Seccomp")],
        ["1", "2"],
        "no new privileges, and a filter of system calls"
      )
    })
  ),
  check("isolation", "processes of the host are not to be seen", (bench) =>
    Effect.gen(function* () {
      const child = yield* hostProcess
      const { sandbox } = yield* bench.make()
      const { stdout } = yield* run(
        sandbox,
        "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; echo; ls -d /proc/[0-9]* | wc -l"
      )
      yield* holds(!stdout.includes("987654"), "no command line of the host is in /proc")
      const count = Number(stdout.trim().split("\n").at(-1))
      yield* holds(count < 16, "only its own processes are in /proc", count)
      yield* holds(child.exitCode === null, "the host's process lives")
    })
  ),
  check("isolation", "processes of the host get no signals", (bench) =>
    Effect.gen(function* () {
      const child = yield* hostProcess
      const { sandbox } = yield* bench.make()
      yield* run(sandbox, `kill -9 ${child.pid} ${process.pid} ${process.ppid}; kill -9 -1; true`)
      yield* Effect.sleep("200 millis")
      yield* equals([child.exitCode, child.signalCode], [null, null], "the end of the host's process")
    })
  ),
  check("isolation", "files of the host are not there", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      yield* Effect.sync(() => writeHost(bench.directory, "secret", secret))
      const paths = [
        join(bench.directory, "secret"),
        home.home,
        process.execPath.startsWith("/usr/") ? "/root" : process.execPath,
        import.meta.filename
      ]
      for (const path of paths) {
        const { stdout } = yield* run(sandbox, ["sh", "-c", `cat "$1" || ls -a "$1"`, "sh", path])
        yield* equals(stdout, "", `what is read of ${path}`)
      }
      const { stdout } = yield* run(
        sandbox,
        "ls -A /root /home /srv /opt /boot /media 2>/dev/null | grep -v : | grep ."
      )
      yield* equals(stdout, "", "what is in the host's other directories")
    })
  ),
  check("isolation", "a link does not lead out", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      yield* Effect.sync(() => writeHost(bench.directory, "secret", secret))
      const { stdout } = yield* run(sandbox, [
        "sh",
        "-c",
        `ln -s "$1" way; cat way; ln "$1" hard; cat hard; ls -d way/..; cat /proc/1/root"$1"`,
        "sh",
        join(bench.directory, "secret")
      ])
      yield* holds(!stdout.includes(secret), "nothing was read through it")
    })
  ),
  check("isolation", "another sandbox's files and processes are not there", (bench) =>
    Effect.gen(function* () {
      const [one, other] = [yield* bench.make(), yield* bench.make()]
      yield* start(one.sandbox, `echo hidden > hidden; echo hidden > /tmp/hidden; exec sleep 876543`)
      yield* eventually("the first one has its files", () => sizeOf(join(one.home.workspace, "hidden")) > 0)
      const { stdout } = yield* run(other.sandbox, [
        "sh",
        "-c",
        `cat /tmp/hidden hidden "$1"; ls "$2"; cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o "sleep 87654[3]"; true`,
        "sh",
        join(one.home.workspace, "hidden"),
        one.home.home
      ])
      yield* equals(stdout, "", "what is seen of the other one")
    })
  ),
  check("isolation", "sandboxes are other users to the host", (bench) =>
    Effect.gen(function* () {
      const [one, other] = [yield* bench.make(), yield* bench.make()]
      for (const { sandbox } of [one, other]) yield* run(sandbox, "touch mine")
      const owners = [one, other].map(({ home }) => statSync(join(home.workspace, "mine")).uid)
      yield* holds(
        process.getuid?.() !== 0 || owners[0] !== owners[1],
        "each has an account of its own where the runner is root",
        owners
      )
    })
  ),
  check("isolation", "no descriptor of the runner is open", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const { stdout } = yield* run(sandbox, "ls /proc/$$/fd")
      const found = stdout
        .trim()
        .split("\n")
        .map(Number)
        .filter((number) => number > 2)
      const { stdout: links } = yield* run(sandbox, "ls -l /proc/$$/fd")
      yield* holds(found.length === 0, "only the three streams are open", links)
    })
  ),
  check("isolation", "what escapes are made of is refused", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      for (const [what, script] of refused) {
        const { ending } = yield* run(sandbox, script)
        yield* holds(ending._tag !== "Exited" || ending.code !== 0, `it cannot ${what}`, ending)
      }
    })
  ),
  check("isolation", "a file that would make its caller root does not", (bench) =>
    Effect.gen(function* () {
      const { home, sandbox } = yield* bench.make()
      const { stdout } = yield* run(sandbox, "cp $(command -v id) id; chmod 6755 id; ./id -u; id -u")
      const [as, self] = stdout.trim().split("\n")
      yield* equals(as, self, "who it runs as")
      yield* holds(existsSync(join(home.workspace, "id")), "the file is there")
    })
  ),
  check("isolation", "only what is given can be written", (bench) =>
    Effect.gen(function* () {
      const { sandbox } = yield* bench.make()
      const writable = [places.workspace, places.outputs, "/tmp"]
      const { stdout } = yield* run(
        sandbox,
        `find / -xdev -type d -writable 2>/dev/null; for one in ${writable.join(" ")}; do [ -w $one ] && echo $one; done`
      )
      const others = [...new Set(stdout.trim().split("\n"))].filter(
        (path) => !writable.includes(path) && path !== "/var/tmp"
      )
      const unexpected = yield* Effect.filter(others, (path) =>
        Effect.map(
          run(sandbox, ["sh", "-c", `touch "$1/written"`, "sh", path]),
          ({ ending }) => ending._tag === "Exited" && ending.code === 0
        )
      )
      yield* equals(unexpected, [], "other directories in which a file can be made")
    })
  )
]
