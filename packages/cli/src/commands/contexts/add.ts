import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { usageTrouble } from "../../app/Trouble.ts"
import { tellDone } from "../../app/output.ts"
import { config, connectTo } from "../../connection/Connection.ts"
import { secretFlag, secretOf } from "../../app/secret.ts"
import { add as addContext, isName } from "../../connection/Contexts.ts"
import { say } from "../../up/Talk.ts"
import { ourName } from "../../app/NameConfig.ts"
import { isAddress } from "../../connection/ConnectionConfig.ts"

export const add = Command.make(
  "add",
  {
    name: Argument.String("name"),
    url: Argument.String("url"),
    keyFile: secretFlag("key-file"),
    unchecked: Flag.Boolean("unchecked").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Does not try whether the server takes the key")
    )
  },
  Effect.fnUntraced(function* ({ keyFile, name, unchecked, url }) {
    const { home } = yield* config
    if (!isName(name) || name === "home") return yield* usageTrouble(`${name} is no name for a server.`)
    if (!isAddress(url)) return yield* usageTrouble(`${url} is no address that begins with https:// or http://.`)
    const key = yield* secretOf(keyFile, `Key of ${url}`)
    if (!unchecked) {
      const { workspace } = yield* connectTo({ url, key, isOurs: false }).ask(({ access }) => access.me())
      yield* say(`${url} takes the key, for workspace ${workspace.name}.`)
    }
    yield* Effect.sync(() => addContext(home, name, url, key))
    yield* tellDone({ name, url, current: true }, `${name} is in use. ${ourName} contexts use home goes back.`)
  })
).pipe(
  Command.withDescription(
    "Keeps a server and its key, and uses it from now on. The key comes by prompt, by pipe or from a file."
  )
)
