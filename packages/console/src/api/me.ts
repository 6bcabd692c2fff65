import type { Me } from "@troupe/domain/api/Access"
import { ApiProblem } from "./ApiProblem.ts"
import { get, post } from "./http.ts"

let known: Me | null = null

/** Who this browser was logged in as; null where it was not. */
export const whoAmI = async (): Promise<Me | null> => {
  if (known !== null) return known
  try {
    known = await get<Me>("/v1/me")
    return known
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) return null
    throw error
  }
}

/** Lets this browser in: by the token of a one-time link, or by an API key. The cookie is not for scripts to see. */
export const logIn = async (secret: { readonly token: string } | { readonly api_key: string }): Promise<Me> => {
  known = await post<Me>("/v1/login", secret)
  return known
}

/** Forgets who was here, and all that was on the screen with it. */
export const logOut = async (): Promise<void> => {
  await post("/v1/logout", {}).catch(() => undefined)
  window.location.assign("/login")
}
