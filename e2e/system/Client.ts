import * as CommandBody from "@troupe/domain/session/CommandBody"
import { type Command, isFinal, type Refusal } from "@troupe/domain/session/SessionCommand"
import { hash } from "node:crypto"
import type { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import type { ClientCall } from "../invariants/Evidence.ts"
import { eventually } from "./waiting.ts"

const sha256 = (text: string) => hash("sha256", text, "hex")

class Refused extends Error {}

/** Sends commands as clients do: again under their ids, to whatever node is up, until they are answered for good. */
export class Client {
  /** What it was told. */
  readonly calls: Array<ClientCall> = []
  private readonly nodes: () => ReadonlyArray<NodeProcess>

  constructor(nodes: () => ReadonlyArray<NodeProcess>) {
    this.nodes = nodes
  }

  async send(sessionId: string, command: Command): Promise<void> {
    const { body, commandId } = command
    const digest = CommandBody.digest(sha256, command)
    await eventually(`${body._tag} is answered`, async () => {
      const answer = await this.ask(sessionId, command)
      this.calls.push({ sessionId, commandId, digest, answer })
      if (answer._tag === "Rejected") throw new Refused(`${body._tag} was refused: ${answer.reason}`)
      return answer._tag === "Accepted" ? true : undefined
    })
  }

  private async ask(sessionId: string, command: Command): Promise<ClientCall["answer"]> {
    const nodes = this.nodes()
    const node = nodes[this.calls.length % Math.max(1, nodes.length)]
    const unknown = { _tag: "Unknown" } as const
    if (node === undefined) return unknown
    // Of a node that was killed, nothing is heard.
    const answer = await node.command(sessionId, command).catch(() => null)
    if (answer === null) return unknown
    if (answer.error === undefined) return { _tag: "Accepted", seq: answer.ok.seq }
    if (answer.error.tag !== "CommandRejected") return unknown
    const { reason } = JSON.parse(answer.error.text) as { readonly reason: Refusal }
    return isFinal(reason) ? { _tag: "Rejected", reason: reason._tag } : unknown
  }
}
