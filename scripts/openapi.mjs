// Writes docs/openapi.json from the contract; with --check it only says whether what is there is that. Runs with npm run
// format and npm run check.
import { readFileSync, writeFileSync } from "node:fs"
import { Api } from "../packages/domain/src/api/Api.ts"
import * as OpenApi from "effect/http-api/OpenApi"

const file = new URL("../docs/openapi.json", import.meta.url)
const text = `${JSON.stringify(OpenApi.fromApi(Api), null, 2)}\n`

if (process.argv.includes("--check")) {
  const same = readFileSync(file, "utf8") === text
  if (!same) console.error("docs/openapi.json is not what the contract says: npm run format writes it anew")
  process.exitCode = same ? 0 : 1
} else {
  writeFileSync(file, text)
}
