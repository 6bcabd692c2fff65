import { spawnSync } from "node:child_process"
import { chownSync, closeSync, constants, openSync } from "node:fs"
import { Socket } from "node:net"
import type { Account } from "../Account.ts"
import { findTool, systemPath } from "../Tools.ts"

/** Makes named pipes that only this account, and root, may open. */
export const makeFifos = (paths: ReadonlyArray<string>, { gid, switched, uid }: Account): void => {
  const tool = findTool("mkfifo")
  if (tool === undefined) throw new Error("the system has no mkfifo")
  const { status, stderr } = spawnSync(tool, ["-m", "600", "--", ...paths], {
    env: { PATH: systemPath, LC_ALL: "C" },
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(stderr.trim())
  if (switched) for (const path of paths) chownSync(path, uid, gid)
}

const flags = constants.O_NONBLOCK | constants.O_NOFOLLOW

/** A named pipe that we read until we say otherwise: whoever writes to it may come and go. */
export const holdFifo = (path: string): Socket => {
  const socket = new Socket({ fd: openSync(path, constants.O_RDWR | flags), readable: true, writable: false })
  socket.on("error", () => {})
  return socket
}

/**
 * Our end of a named pipe. Held open both ways until the other side has opened its end, so that nobody waits and nothing
 * looks like an end; from then on, the end of the other side is the end.
 */
export class FifoEnd {
  readonly #path: string
  readonly #way: "read" | "write"
  #held: number | undefined

  constructor(path: string, way: "read" | "write") {
    this.#path = path
    this.#way = way
    this.#held = openSync(path, constants.O_RDWR | flags)
  }

  /** The other side is there. */
  readonly open = (): Socket => {
    const reading = this.#way === "read"
    const descriptor = openSync(this.#path, (reading ? constants.O_RDONLY : constants.O_WRONLY) | flags)
    this.release()
    const socket = new Socket({ fd: descriptor, readable: reading, writable: !reading })
    socket.on("error", () => {})
    return socket
  }

  readonly release = (): void => {
    if (this.#held !== undefined) closeSync(this.#held)
    this.#held = undefined
  }
}
