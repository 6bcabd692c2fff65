import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

const { npm_lifecycle_event: script, npm_package_name: npmPackage, PATH = "" } = process.env

/** What npm puts before somebody's own PATH is not there once it has ended. */
const ownPath = PATH.split(delimiter).filter((place) => !/[\\/](node_modules[\\/]\.bin|node-gyp-bin)$/.test(place))

/** Whoever came through npm, as in a clone, has nothing of ours in PATH: unless it is installed there too. */
const isNpm = script !== undefined && !ownPath.some((place) => place !== "" && existsSync(join(place, "troupe")))

/** What is typed to call this program. */
export const ourName = isNpm ? "npx troupe" : "troupe"

/** What is typed to start everything. In a project of somebody else's, `npm start` starts that. */
export const startWords = isNpm && npmPackage === "troupe" ? "npm start" : `${ourName} up`
