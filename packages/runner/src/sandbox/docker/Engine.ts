import { Schema } from "effect"
import type { EngineApi } from "./EngineApi.ts"
import { label } from "./ContainerConfig.ts"

/** The requests that we make, and what we read of their answers. */

const Created = Schema.Struct({ Id: Schema.String })

export const createContainer = (engine: EngineApi, body: unknown) =>
  engine.ask({ method: "POST", path: "/containers/create", body }, Created)

export const startContainer = (engine: EngineApi, id: string) =>
  engine.call({ method: "POST", path: `/containers/${id}/start` })

/** Kills all that runs in the container, and starts it anew. */
export const restartContainer = (engine: EngineApi, id: string) =>
  engine.call({ method: "POST", path: `/containers/${id}/restart`, query: { t: "0" } })

/** Kills all that runs in the container, if anything does. */
export const stopContainer = (engine: EngineApi, id: string) =>
  engine.call({ method: "POST", path: `/containers/${id}/stop`, query: { t: "0" } })

export const removeContainer = (engine: EngineApi, id: string) =>
  engine.call({ method: "DELETE", path: `/containers/${id}`, query: { force: "true", v: "true" } })

const Container = Schema.Struct({
  State: Schema.Struct({ Running: Schema.Boolean, OOMKilled: Schema.Boolean, Pid: Schema.Int })
})

export const inspectContainer = (engine: EngineApi, id: string) =>
  engine.ask({ method: "GET", path: `/containers/${id}/json` }, Container)

const Listed = Schema.Struct({ Id: Schema.String, Labels: Schema.Record(Schema.String, Schema.String) })

/** Containers of any state that carry all of these labels. */
export const listContainers = (engine: EngineApi, labels: Readonly<Partial<Record<keyof typeof label, string>>>) =>
  engine.ask(
    {
      method: "GET",
      path: "/containers/json",
      query: {
        all: "true",
        filters: JSON.stringify({
          label: Object.entries(labels).map(([name, value]) => `${label[name as keyof typeof label]}=${value}`)
        })
      }
    },
    Schema.Array(Listed)
  )

/** The container's standard streams: what is written goes to its first process. */
export const attachContainer = (engine: EngineApi, id: string) =>
  engine.hijack({
    method: "POST",
    path: `/containers/${id}/attach`,
    query: { stream: "true", stdin: "true", stdout: "true", stderr: "true" }
  })

const Top = Schema.Struct({ Processes: Schema.NullOr(Schema.Array(Schema.Array(Schema.String))) })

/** All processes of a container as the host sees them: id, parent, state. */
export const processesOf = (engine: EngineApi, id: string) =>
  engine.ask({ method: "GET", path: `/containers/${id}/top`, query: { ps_args: "-eo pid,ppid,state" } }, Top)

export const createExec = (engine: EngineApi, container: string, body: unknown) =>
  engine.ask({ method: "POST", path: `/containers/${container}/exec`, body }, Created)

export const startExec = (engine: EngineApi, id: string, terminal: boolean) =>
  engine.hijack({ method: "POST", path: `/exec/${id}/start`, body: { Detach: false, Tty: terminal } })

const Exec = Schema.Struct({ Running: Schema.Boolean, ExitCode: Schema.NullOr(Schema.Int), Pid: Schema.Int })

export const inspectExec = (engine: EngineApi, id: string) =>
  engine.ask({ method: "GET", path: `/exec/${id}/json` }, Exec)

export const resizeExec = (engine: EngineApi, id: string, columns: number, rows: number) =>
  engine.call({ method: "POST", path: `/exec/${id}/resize`, query: { w: String(columns), h: String(rows) } })

const Image = Schema.Struct({ Id: Schema.String, Size: Schema.optionalKey(Schema.Int) })

export const inspectImage = (engine: EngineApi, name: string) =>
  engine.ask({ method: "GET", path: `/images/${encodeURIComponent(name)}/json` }, Image)

export const removeImage = (engine: EngineApi, name: string) =>
  engine.call({ method: "DELETE", path: `/images/${encodeURIComponent(name)}` })

const Info = Schema.Struct({
  ServerVersion: Schema.String,
  Runtimes: Schema.Record(Schema.String, Schema.Unknown),
  CgroupVersion: Schema.optionalKey(Schema.String),
  MemoryLimit: Schema.Boolean,
  CpuCfsQuota: Schema.Boolean,
  PidsLimit: Schema.Boolean,
  InitBinary: Schema.optionalKey(Schema.String)
})

export const info = (engine: EngineApi) => engine.ask({ method: "GET", path: "/info" }, Info)
