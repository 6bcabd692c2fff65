import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer, Option } from "effect"
import { join } from "node:path"
import { WorkspaceLog } from "../log/WorkspaceLog.ts"
import * as ContentsFilesystem from "./ContentsFilesystem.ts"
import * as ContentsPg from "./ContentsPg.ts"
import * as ContentsS3 from "./ContentsS3.ts"
import { Files } from "./Files.ts"
import type { FilesConfig, FileStore } from "./FilesConfig.ts"
import { sweeping } from "./FileSweep.ts"

interface FileServicesOptions {
  readonly files: FilesConfig
  readonly home: string
  /** The database is one of others: more nodes than this one may be on it, and share nothing else. */
  readonly isShared: boolean
}

const contents = (store: FileStore, home: string) => {
  switch (store._tag) {
    case "Filesystem":
      return ContentsFilesystem.layer(store.directory ?? join(home, "files"))
    case "Postgres":
      return ContentsPg.layer
    case "S3":
      return ContentsS3.layer(store.s3).pipe(Layer.provide(NodeHttpClient.layerUndici))
  }
}

/** Files, and what removes those that nobody needs. */
export const layer = ({ files, home, isShared }: FileServicesOptions) => {
  const usual: FileStore = isShared ? { _tag: "Postgres" } : { _tag: "Filesystem", directory: null }
  return Layer.merge(Files.layer(files.bytesMax), Layer.effectDiscard(Effect.forkScoped(sweeping))).pipe(
    Layer.provideMerge(
      contents(
        Option.getOrElse(files.store, () => usual),
        home
      )
    ),
    Layer.provide(WorkspaceLog.layer)
  )
}
