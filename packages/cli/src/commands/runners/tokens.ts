import { listCommand } from "../../app/listCommand.ts"
import { agoOf } from "../../app/time.ts"
import { tokenState } from "../keys/tokenState.ts"
import { ourName } from "../../app/NameConfig.ts"

export const tokens = listCommand({
  name: "tokens",
  about: `Lists the tokens that runners register with; ${ourName} keys revoke ID revokes one`,
  items: ({ tokens }) => tokens.list({ kind: "runner_registration", limit: 100 }),
  headings: ["ID", "NAME", "HINT", "LABELS", "STATE", "LAST USED"],
  row: (token, now) => [
    token.id,
    token.name,
    `…${token.hint}`,
    token.labels.join(","),
    tokenState(token, now),
    agoOf(token.last_used_at, now)
  ],
  none: `There is no token for runners. Make one: ${ourName} runners token NAME`
})
