import { Effect } from "effect"
import { createHash } from "node:crypto"
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fill } from "./scratch.ts"
import { httpServer } from "./LocalServer.ts"

const run = (command: string, args: ReadonlyArray<string>, cwd: string) => {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

export interface Served {
  readonly port: number
  /** Paths that were asked for. */
  readonly asked: ReadonlyArray<string>
}

/** Serves what is in the map, and nothing else. */
const serving = Effect.fnUntraced(function* (files: ReadonlyMap<string, Uint8Array>) {
  const asked: Array<string> = []
  const port = yield* httpServer((request, response) => {
    // Through a proxy, a path is a whole address.
    const { pathname } = new URL(request.url ?? "/", "http://registry.test")
    asked.push(pathname)
    const found = files.get(decodeURIComponent(pathname))
    response.writeHead(found === undefined ? 404 : 200, {
      "content-length": found?.length ?? 0,
      "content-type": pathname.endsWith("/") ? "text/html" : "application/octet-stream"
    })
    response.end(found)
  })
  return { port, asked } satisfies Served
})

export interface Deb {
  readonly name: string
  readonly depends?: string
  readonly files: Readonly<Record<string, string>>
  /** What its maintainer's script would do after the installation. */
  readonly postinst?: string
}

const buildDeb = (directory: string, { depends, files, name, postinst = "" }: Deb) => {
  const tree = join(directory, name)
  const about =
    `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\n` +
    (depends === undefined ? "" : `Depends: ${depends}\n`) +
    "Description: for tests\n"
  fill(tree, { ...files, "DEBIAN/control": about })
  writeFileSync(join(tree, "DEBIAN/postinst"), `#!/bin/sh\ntouch /troupe-maintainer-script-ran\n${postinst}`, {
    mode: 0o755
  })
  for (const path of Object.keys(files)) if (path.includes("bin/")) chmodSync(join(tree, path), 0o755)
  const file = `${name}_1.0_all.deb`
  run("dpkg-deb", ["--root-owner-group", "--build", tree, join(directory, file)], directory)
  const bytes = readFileSync(join(directory, file))
  return { file, bytes, entry: `${about}Filename: ./${file}\nSize: ${bytes.length}\nSHA256: ${sha256(bytes)}\n` }
}

/** A repository of Debian packages, and the `/etc/apt` that leads to it. */
export const debianRepository = Effect.fnUntraced(function* (directory: string, debs: ReadonlyArray<Deb>) {
  const built = debs.map((deb) => buildDeb(directory, deb))
  const packages = Buffer.from(built.map(({ entry }) => entry).join("\n"))
  const release = Buffer.from(
    `Origin: test\nSuite: stable\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n ${sha256(packages)} ${packages.length} Packages\n`
  )
  const files = new Map<string, Uint8Array>([
    ["/debian/./Packages", packages],
    ["/debian/Packages", packages],
    ["/debian/./Release", release],
    ["/debian/Release", release],
    ...built.flatMap(({ bytes, file }) => [[`/debian/${file}`, bytes] as const, [`/debian/./${file}`, bytes] as const])
  ])
  const served = yield* serving(files)
  const etc = join(directory, "etc-apt")
  fill(etc, {
    "sources.list": `deb [trusted=yes] http://registry.test:${served.port}/debian ./\n`,
    // What hosts have: programs that belong to the host.
    "apt.conf.d/50hooks": 'APT::Update::Post-Invoke { "false"; };\n'
  })
  return { ...served, etc }
})

export interface NpmPackage {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly manifest?: Readonly<Record<string, unknown>>
}

/** A registry of npm packages. */
export const npmRegistry = Effect.fnUntraced(function* (
  directory: string,
  packages: ReadonlyArray<NpmPackage>,
  host = "registry.test"
) {
  const files = new Map<string, Uint8Array>()
  const served = yield* serving(files)
  for (const { files: content, manifest, name } of packages) {
    const about = { name, version: "1.0.0", ...manifest }
    fill(join(directory, `npm-${name}`), {
      "package/package.json": JSON.stringify(about),
      ...Object.fromEntries(Object.entries(content).map(([path, text]) => [`package/${path}`, text]))
    })
    const tarball = join(directory, `${name}.tgz`)
    run("tar", ["-czf", tarball, "package"], join(directory, `npm-${name}`))
    const bytes = readFileSync(tarball)
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`
    const url = `http://${host}:${served.port}/${name}/-/${name}-1.0.0.tgz`
    const versions = { "1.0.0": { ...about, dist: { tarball: url, integrity } } }
    files.set(`/${name}/-/${name}-1.0.0.tgz`, bytes)
    files.set(`/${name}`, Buffer.from(JSON.stringify({ name, "dist-tags": { latest: "1.0.0" }, versions })))
  }
  return served
})

/** An index of Python packages: each one wheel, with one module. */
export const pythonIndex = Effect.fnUntraced(function* (directory: string, name: string, module: string) {
  const info = `${name}-1.0.dist-info`
  const record = [`${name}.py`, `${info}/METADATA`, `${info}/WHEEL`, `${info}/RECORD`].map((path) => `${path},,\n`)
  fill(join(directory, "wheel"), {
    [`${name}.py`]: module,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`,
    [`${info}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    [`${info}/RECORD`]: record.join("")
  })
  const wheel = `${name}-1.0-py3-none-any.whl`
  run("/usr/bin/python3", ["-m", "zipfile", "-c", join(directory, wheel), `${name}.py`, info], join(directory, "wheel"))
  const bytes = readFileSync(join(directory, wheel))
  return yield* serving(
    new Map<string, Uint8Array>([
      [
        `/simple/${name.replaceAll("_", "-")}/`,
        Buffer.from(`<a href="/files/${wheel}#sha256=${sha256(bytes)}">${wheel}</a>`)
      ],
      [`/files/${wheel}`, bytes]
    ])
  )
})

/** A proxy of Go modules with one module, version 1.0.0, that is a program. */
export const goProxy = Effect.fnUntraced(function* (directory: string, module: string, main: string) {
  const mod = `module ${module}\n\ngo 1.18\n`
  const content = { [`${module}@v1.0.0/go.mod`]: mod, [`${module}@v1.0.0/main.go`]: main }
  fill(join(directory, "go"), content)
  const zip = join(directory, "module.zip")
  // Go takes no archive that names directories.
  const script =
    "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as zip:\n for path in sys.argv[2:]: zip.write(path)"
  run("/usr/bin/python3", ["-c", script, zip, ...Object.keys(content)], join(directory, "go"))
  const info = JSON.stringify({ Version: "v1.0.0", Time: "2026-01-01T00:00:00Z" })
  return yield* serving(
    new Map<string, Uint8Array>([
      [`/${module}/@v/list`, Buffer.from("v1.0.0\n")],
      [`/${module}/@v/v1.0.0.info`, Buffer.from(info)],
      [`/${module}/@v/v1.0.0.mod`, Buffer.from(mod)],
      [`/${module}/@v/v1.0.0.zip`, readFileSync(zip)]
    ])
  )
})

const gemScript = (name: string) => `
require "rubygems/package"
require "zlib"
spec = Gem::Specification.new do |s|
  s.name, s.version, s.summary, s.authors = "${name}", "1.0", "for tests", ["Nobody"]
  s.files, s.bindir, s.executables = ["lib/${name}.rb", "exe/${name}"], "exe", ["${name}"]
end
Gem::Package.build(spec, true)
entries = [[spec.name, spec.version, "ruby"]]
{ "specs" => entries, "latest_specs" => entries, "prerelease_specs" => [] }.each do |list, of|
  File.binwrite("#{list}.4.8.gz", Gem::Util.gzip(Marshal.dump(of)))
end
File.binwrite("spec.rz", Zlib::Deflate.deflate(Marshal.dump(spec)))
`

/** An index of gems with one of them, version 1.0, that has a module and a program. */
export const gemIndex = Effect.fnUntraced(function* (directory: string, name: string, module: string, program: string) {
  const root = join(directory, "gem")
  fill(root, { [`lib/${name}.rb`]: module, [`exe/${name}`]: program })
  for (const path of [`lib/${name}.rb`, `exe/${name}`]) chmodSync(join(root, path), 0o755)
  run("ruby", ["-e", gemScript(name)], root)
  const lists = ["specs", "latest_specs", "prerelease_specs"].map((list) => `${list}.4.8.gz`)
  return yield* serving(
    new Map<string, Uint8Array>([
      ...lists.map((list) => [`/${list}`, readFileSync(join(root, list))] as const),
      [`/quick/Marshal.4.8/${name}-1.0.gemspec.rz`, readFileSync(join(root, "spec.rz"))],
      [`/gems/${name}-1.0.gem`, readFileSync(join(root, `${name}-1.0.gem`))]
    ])
  )
})

/** A registry of crates by the sparse protocol, with one, version 1.0.0, that is a program. */
export const crateRegistry = Effect.fnUntraced(function* (directory: string, name: string, main: string) {
  const root = `${name}-1.0.0`
  fill(join(directory, "crate"), {
    [`${root}/Cargo.toml`]: `[package]\nname = "${name}"\nversion = "1.0.0"\nedition = "2021"\n`,
    [`${root}/src/main.rs`]: main
  })
  const file = join(directory, `${root}.crate`)
  run("tar", ["-czf", file, root], join(directory, "crate"))
  const bytes = readFileSync(file)
  const entry = { name, vers: "1.0.0", deps: [], cksum: sha256(bytes), features: {}, yanked: false }
  const files = new Map<string, Uint8Array>([
    [`/index/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`, Buffer.from(`${JSON.stringify(entry)}\n`)],
    [`/crates/${name}/1.0.0/download`, bytes]
  ])
  const served = yield* serving(files)
  files.set("/index/config.json", Buffer.from(JSON.stringify({ dl: `http://registry.test:${served.port}/crates` })))
  return served
})

/** A program that writes down how it was called, and leaves one of its own. */
export const fakeManager = (directory: string, name: string): string => {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, name)
  writeFileSync(
    path,
    `#!/bin/sh
echo "${name} $*"
for place in "$GOBIN" /opt/environment/${name}/bin; do
  [ -n "$place" ] || continue
  mkdir -p "$place"
  printf '#!/bin/sh\\necho made by ${name}\\n' > "$place/${name}-made"
  chmod 755 "$place/${name}-made"
  break
done
`,
    { mode: 0o755 }
  )
  return path
}
