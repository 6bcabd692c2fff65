// A worker of the vendor's SDK as a process: `node e2e/support/worker-main.ts SDK BASE_URL ENVIRONMENT KEY DIRECTORY TTL`.
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

const [sdk, baseURL, environmentId, environmentKey, workdir, ttl] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string
]

const { default: Anthropic } = (await import(
  pathToFileURL(createRequire(import.meta.url).resolve(sdk)).href
)) as typeof import("@anthropic-ai/sdk")

/** The worker says nothing of how long its lease is to last, and a test that waits for its end is in a hurry. */
const hurried: typeof fetch = (input, init) => {
  const url = new URL(String(input))
  if (url.pathname.endsWith("/heartbeat")) url.searchParams.set("desired_ttl_seconds", ttl)
  return fetch(url, init)
}

const client = new Anthropic({ apiKey: "none", baseURL, fetch: hurried })
await client.beta.environments.work.worker({ environmentId, environmentKey, workdir }).run()
