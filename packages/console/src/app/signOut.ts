import { keepKey } from "../api/identity.ts"

/** Forgets who was here, and all that was on the screen with it. */
export const signOut = async (): Promise<void> => {
  keepKey(null)
  window.location.assign("/login")
}
