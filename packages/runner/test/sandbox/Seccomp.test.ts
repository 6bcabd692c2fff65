import { assert, describe, it } from "@effect/vitest"
import { seccompProgram, verdicts } from "../../src/sandbox/Seccomp.ts"
import { auditArchitectures, denied, judged } from "../../src/sandbox/Syscalls.ts"

interface Call {
  readonly number: number
  readonly architecture?: number
  readonly arguments?: ReadonlyArray<number>
}

/** Runs the filter as the kernel does: over the number, the architecture and the lower halves of the arguments. */
const judge = (program: Uint8Array, call: Call, own: number): number => {
  const view = new DataView(program.buffer)
  const at = (offset: number) =>
    offset === 0 ? call.number : offset === 4 ? (call.architecture ?? own) : (call.arguments?.[(offset - 16) / 8] ?? 0)
  let loaded = 0
  for (let line = 0; line * 8 < program.length; line++) {
    const code = view.getUint16(line * 8, true)
    const value = view.getUint32(line * 8 + 4, true)
    if (code === 0x06) return value
    if (code === 0x20) {
      loaded = at(value)
      continue
    }
    const holds = code === 0x15 ? loaded === value : code === 0x35 ? loaded >>> 0 >= value : (loaded & value) !== 0
    line += view.getUint8(line * 8 + (holds ? 2 : 3))
  }
  throw new Error("the filter ends without an answer")
}

describe.each(["x64", "arm64"] as const)("the filter of system calls for %s", (architecture) => {
  const program = seccompProgram(architecture) ?? new Uint8Array()
  const verdict = (call: Call) => judge(program, call, auditArchitectures[architecture])
  const numberOf = (name: keyof typeof judged) => judged[name][architecture]

  it("is of a length that the kernel takes", () => {
    assert.isAbove(program.length, 0)
    assert.isBelow(program.length / 8, 4_096)
  })

  it("denies every call of the list", () => {
    for (const [name, { [architecture]: number }] of Object.entries(denied)) {
      if (number !== null) assert.strictEqual(verdict({ number }), verdicts.notPermitted, name)
    }
  })

  it("allows every other number", () => {
    const special = new Set<number | null>([
      ...Object.values(denied).map(({ [architecture]: number }) => number),
      ...Object.values(judged).map(({ [architecture]: number }) => number)
    ])
    for (let number = 0; number < 600; number++) {
      if (!special.has(number)) assert.strictEqual(verdict({ number }), verdicts.allow, String(number))
    }
  })

  it("kills what calls as another architecture, or by the numbers of x32", () => {
    assert.strictEqual(verdict({ number: 0, architecture: 0x4000_0003 }), verdicts.kill)
    if (architecture === "x64") assert.strictEqual(verdict({ number: 0x4000_0000 + 101 }), verdicts.kill)
  })

  it("lets threads and processes be made, and no namespaces", () => {
    const clone = (flags: number) => verdict({ number: numberOf("clone"), arguments: [flags] })
    assert.strictEqual(clone(0x3d_0f00), verdicts.allow, "a thread")
    assert.strictEqual(clone(0x120_0011), verdicts.allow, "a fork")
    for (const flag of [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]) {
      assert.strictEqual(clone(flag | 17), verdicts.notPermitted, flag.toString(16))
    }
    assert.strictEqual(verdict({ number: numberOf("clone3") }), verdicts.notImplemented)
  })

  it("lets nothing be typed into a terminal", () => {
    const ioctl = (request: number) => verdict({ number: numberOf("ioctl"), arguments: [0, request] })
    for (const request of [0x5412, 0x541c, 0x5423]) assert.strictEqual(ioctl(request), verdicts.notPermitted)
    for (const request of [0x5401, 0x5413, 0x5414]) assert.strictEqual(ioctl(request), verdicts.allow)
  })

  it("knows the sockets of programs, and none that lead out of the namespaces", () => {
    const socket = (family: number) => verdict({ number: numberOf("socket"), arguments: [family] })
    for (const family of [1, 2, 10, 16]) assert.strictEqual(socket(family), verdicts.allow)
    for (const family of [0, 3, 15, 17, 38, 40]) assert.strictEqual(socket(family), verdicts.noSuchFamily)
  })
})

describe("the filter of system calls", () => {
  it("is not made up for machines we do not know", () => assert.isUndefined(seccompProgram("riscv64")))
})
