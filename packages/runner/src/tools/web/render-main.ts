import { parentPort, workerData } from "node:worker_threads"
import { toMarkdown } from "./markdown.ts"

const { base, html } = workerData as { readonly html: string; readonly base: string }
parentPort?.postMessage(toMarkdown(html, base))
