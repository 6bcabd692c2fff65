// Writes what is published into a folder: `domain`, `client`, and of `runner` what authors of a sandbox backend need.
// JavaScript with types, as tarballs.
//
// In the repository packages are run from their sources. Node strips no types below node_modules, so what others install
// has been compiled: each module by itself, so that bundlers take only what is used.
import { spawnSync } from "node:child_process"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const packages = [
  { name: "domain", package: "domain", from: "src", manifest: "package.json" },
  { name: "client", package: "client", from: "src", manifest: "package.json" },
  {
    name: "sandbox",
    package: "runner",
    from: "src/sandbox",
    manifest: "sandbox.package.json",
    // And what these import.
    files: ["published.ts", "conformance/hold-main.ts"]
  }
]

const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] })
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`)
}

const compiled = (path) => path.replace(/^\.\/src\/(.*)\.ts$/, "./dist/$1.js")
const exportsOf = (exports) =>
  Object.fromEntries(
    Object.entries(exports).map(([name, path]) => {
      const file = compiled(path)
      return [name, { types: file.replace(/\.js$/, ".d.ts"), default: file }]
    })
  )

const manifestOf = ({ private: _, devDependencies: __, exports, ...manifest }) => ({
  ...manifest,
  exports: exportsOf(exports),
  files: ["dist"],
  sideEffects: false
})

const build = ({ files, from, manifest: manifestFile, name, package: home }, stage) => {
  const source = join(root, "packages", home)
  const folder = join(stage, name)
  mkdirSync(folder, { recursive: true })
  const { compilerOptions } = JSON.parse(
    readFileSync(join(source, "tsconfig.json"), "utf8").replace(/^\s*\/\/.*$/gm, "")
  )
  const options = {
    lib: compilerOptions.lib,
    types: compilerOptions.types,
    typeRoots: [join(root, "node_modules/@types")],
    noEmit: false,
    incremental: false,
    declaration: true,
    allowImportingTsExtensions: false,
    rewriteRelativeImportExtensions: true,
    rootDir: join(source, from),
    outDir: join(folder, "dist"),
    // Compiled before, so that none of its sources becomes part of this package.
    paths: { "@troupe/domain/*": [join(stage, "domain/dist/*.d.ts")] }
  }
  const config = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: options,
    ...(files === undefined
      ? { include: [options.rootDir] }
      : { files: files.map((one) => join(options.rootDir, one)) })
  }
  const file = join(stage, `${name}.json`)
  writeFileSync(file, JSON.stringify(config))
  run("tsc", ["-p", file])
  const manifest = JSON.parse(readFileSync(join(source, manifestFile), "utf8"))
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifestOf(manifest), null, 2)}\n`)
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"))
  const readme = join(source, "README.md")
  if (existsSync(readme)) copyFileSync(readme, join(folder, "README.md"))
  return folder
}

const destination = resolve(process.argv[2] ?? "dist")
const stage = mkdtempSync(join(tmpdir(), "troupe-pack-"))
try {
  mkdirSync(destination, { recursive: true })
  // What is compiled first names types of effect, which are looked for from where it lies.
  symlinkSync(join(root, "node_modules"), join(stage, "node_modules"), "dir")
  const folders = packages.map((one) => build(one, stage))
  run("npm", ["pack", "--silent", "--pack-destination", destination, ...folders])
} finally {
  rmSync(stage, { recursive: true, force: true })
}
