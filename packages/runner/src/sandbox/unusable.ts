import type { BackendProbe } from "./Sandbox.ts"

/** What is found out about a backend that can do nothing on this host. */
export const unusable = (note: string, version: string | null = null): BackendProbe => ({
  usable: false,
  notes: [note],
  version,
  terminal: false,
  network: false,
  limits: { cpus: null, memory: null, disk: null, processes: null }
})
