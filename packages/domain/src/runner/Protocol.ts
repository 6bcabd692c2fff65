import { Result, Schema } from "effect"

/** The versions of the runner protocol that this release speaks: its own, and one back. */
export const spoken = { min: 1, max: 2 } as const

/**
 * Calls that came with a version; all others are of the first. Who speaks an older one is asked for none of them. A field that
 * came later needs no place here: who does not know it does not read it.
 */
export const since = { Places: 2, ProbeMcpServer: 2 } as const

export const sinceOf = (call: string): number => (call in since ? since[call as keyof typeof since] : 1)

export const Versions = Schema.Struct({ min: Schema.Int, max: Schema.Int })
export type Versions = typeof Versions.Type

const range = ({ max, min }: Versions): string => (min === max ? `version ${max}` : `versions ${min} to ${max}`)

/** No version is spoken by both sides. A node asks, and a runner is asked. */
export class VersionRefused extends Schema.TaggedError<VersionRefused>()("VersionRefused", {
  asked: Versions,
  spoken: Versions
}) {
  override get message() {
    const { asked, spoken: own } = this
    const older = own.max < asked.min ? "runner" : "node"
    return `the node speaks ${range(asked)} of the protocol, the runner ${range(own)}: update the ${older}`
  }
}

/** The newest version that both sides speak. */
export const negotiate = (asked: Versions, own: Versions = spoken): Result.Result<number, VersionRefused> => {
  const version = Math.min(asked.max, own.max)
  return version >= Math.max(asked.min, own.min)
    ? Result.succeed(version)
    : Result.fail(new VersionRefused({ asked, spoken: own }))
}
