import { ApiProblem } from "./ApiProblem.ts"
import { get } from "./http.ts"
import { currentKey } from "./identity.ts"

let known: { readonly key: string | null; readonly workspace: string } | null = null

/** The workspace that this browser is let into; null where it is not. */
export const workspaceOfCaller = async (): Promise<string | null> => {
  const key = currentKey()
  if (known !== null && known.key === key) return known.workspace
  if (key === null) return null
  try {
    await get("/v1/sessions?limit=1")
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) return null
    throw error
  }
  known = { key, workspace: "default" }
  return known.workspace
}

export const forgetCaller = (): void => {
  known = null
}
