import { AuthenticationError, type Login, type Me } from "@troupe/client"
import { troupe } from "./troupe.ts"

let known: Me | null = null

/** Who this browser was logged in as; null where it was not. */
export const whoAmI = async (): Promise<Me | null> => {
  if (known !== null) return known
  try {
    known = await troupe.access.me()
    return known
  } catch (error) {
    if (error instanceof AuthenticationError) return null
    throw error
  }
}

/** Lets this browser in: by the token of a one-time link, or by an API key. The cookie is not for scripts to see. */
export const logIn = async (secret: Login): Promise<Me> => {
  known = await troupe.access.login(secret)
  return known
}

/** Forgets who was here, and all that was on the screen with it. */
export const logOut = async (): Promise<void> => {
  await troupe.access.logout().catch(() => undefined)
  window.location.assign("/login")
}
