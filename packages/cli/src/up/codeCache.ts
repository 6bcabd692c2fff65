import { join } from "node:path"

/**
 * Where compiled code is kept, unless the environment names another place: a program that is started again finds it there,
 * which saves a third of its start.
 */
export const codeCache = (home: string) => ({ NODE_COMPILE_CACHE: join(home, "cache", "code") })
