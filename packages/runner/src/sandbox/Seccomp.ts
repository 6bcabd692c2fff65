import { type Architecture, auditArchitectures, denied, judged } from "./Syscalls.ts"

/** One instruction of the classic packet filter, as the kernel runs it over each system call. */
interface Instruction {
  readonly code: number
  readonly jumpIf: number
  readonly jumpElse: number
  readonly value: number
}

const load = (offset: number): Instruction => ({ code: 0x20, jumpIf: 0, jumpElse: 0, value: offset })
const answer = (value: number): Instruction => ({ code: 0x06, jumpIf: 0, jumpElse: 0, value })
const jumpEqual = (value: number, jumpIf: number, jumpElse: number) => ({ code: 0x15, jumpIf, jumpElse, value })
const jumpAtLeast = (value: number, jumpIf: number, jumpElse: number) => ({ code: 0x35, jumpIf, jumpElse, value })
const jumpAnyBit = (value: number, jumpIf: number, jumpElse: number) => ({ code: 0x45, jumpIf, jumpElse, value })

export const verdicts = {
  allow: 0x7fff_0000,
  kill: 0x8000_0000,
  notPermitted: 0x0005_0001,
  notImplemented: 0x0005_0026,
  noSuchFamily: 0x0005_0061
} as const

/** Where the parts of a call are in `struct seccomp_data`; of each argument the lower half, which is all that counts here. */
const offsets = { call: 0, architecture: 4, firstArgument: 16, secondArgument: 24 }

/** Calls of the x32 variant of x86-64 have this bit, and would slip past every comparison. */
const x32Bit = 0x4000_0000

/** Every kind of new namespace: mount, cgroup, uts, ipc, user, pid, net, time is not for `clone`. */
export const newNamespaces = 0x7e02_0000

/** Typing into a terminal (TIOCSTI), its console's selection (TIOCLINUX), and its line disciplines (TIOCSETD). */
export const deniedTerminalControls = [0x5412, 0x541c, 0x5423]

/** Unix, IPv4, IPv6 and netlink; vsock, for one, is in no network namespace and would lead to the machine's own host. */
export const socketFamilies = [1, 2, 10, 16]

const denyCall = (call: number, verdict: number): ReadonlyArray<Instruction> => [jumpEqual(call, 0, 1), answer(verdict)]

/** Runs `inside` with the argument loaded when it is this call, and loads the number again after. */
const judgeCall = (call: number, offset: number, inside: ReadonlyArray<Instruction>): ReadonlyArray<Instruction> => [
  jumpEqual(call, 0, inside.length + 2),
  load(offset),
  ...inside,
  load(offsets.call)
]

const filter = (architecture: Architecture): ReadonlyArray<Instruction> => [
  load(offsets.architecture),
  jumpEqual(auditArchitectures[architecture], 1, 0),
  answer(verdicts.kill),
  load(offsets.call),
  ...(architecture === "x64" ? [jumpAtLeast(x32Bit, 0, 1), answer(verdicts.kill)] : []),
  ...Object.values(denied).flatMap(({ [architecture]: call }) =>
    call === null ? [] : denyCall(call, verdicts.notPermitted)
  ),
  // Its flags are behind a pointer, where a filter cannot look; programs then use `clone`.
  ...denyCall(judged.clone3[architecture], verdicts.notImplemented),
  ...judgeCall(judged.clone[architecture], offsets.firstArgument, [
    jumpAnyBit(newNamespaces, 0, 1),
    answer(verdicts.notPermitted)
  ]),
  ...judgeCall(
    judged.ioctl[architecture],
    offsets.secondArgument,
    deniedTerminalControls.flatMap((control) => denyCall(control, verdicts.notPermitted))
  ),
  ...judgeCall(judged.socket[architecture], offsets.firstArgument, [
    ...socketFamilies.map((family, index) => jumpEqual(family, socketFamilies.length - index, 0)),
    answer(verdicts.noSuchFamily)
  ]),
  answer(verdicts.allow)
]

/** The filter as the kernel reads it, or undefined for machines whose system calls we do not know. */
export const seccompProgram = (architecture: string): Uint8Array | undefined => {
  if (architecture !== "x64" && architecture !== "arm64") return undefined
  const instructions = filter(architecture)
  const bytes = new Uint8Array(instructions.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [index, { code, jumpElse, jumpIf, value }] of instructions.entries()) {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, jumpIf)
    view.setUint8(index * 8 + 3, jumpElse)
    view.setUint32(index * 8 + 4, value, true)
  }
  return bytes
}
