import { deniedTerminalControls, newNamespaces, socketFamilies } from "../Seccomp.ts"
import { denied } from "../Syscalls.ts"

const errors = { notPermitted: 1, notImplemented: 38, noSuchFamily: 97 }

/** One comparison of an argument with a value; with a mask, of the bits in it. */
const argument = (index: number, value: number, mask?: number) =>
  mask === undefined
    ? { index, value, op: "SCMP_CMP_EQ" }
    : { index, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" }

const refuse = (names: ReadonlyArray<string>, errnoRet: number, ...args: ReadonlyArray<object>) => ({
  names,
  action: "SCMP_ACT_ERRNO",
  errnoRet,
  args
})

const bitsOf = (flags: number) => Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter((bit) => (flags & bit) !== 0)

// The kernel has not got to this one yet.
const familiesMax = 64

/**
 * What the engine's own profile allows includes tracing other processes. This one refuses what sandboxes without a
 * container are refused, from the same lists; what is called by another architecture's numbers ends the process.
 */
export const seccompProfile = JSON.stringify({
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [
    refuse(Object.keys(denied), errors.notPermitted),
    // Its flags are behind a pointer, where a filter cannot look; programs then use `clone`.
    refuse(["clone3"], errors.notImplemented),
    ...bitsOf(newNamespaces).map((bit) => refuse(["clone"], errors.notPermitted, argument(0, bit, bit))),
    ...deniedTerminalControls.map((control) => refuse(["ioctl"], errors.notPermitted, argument(1, control))),
    ...Array.from({ length: familiesMax }, (_, family) => family)
      .filter((family) => !socketFamilies.includes(family))
      .map((family) => refuse(["socket"], errors.noSuchFamily, argument(0, family)))
  ]
})
