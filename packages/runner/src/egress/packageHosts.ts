import type { PackageManager } from "@troupe/domain/environment/EnvironmentConfig"

/**
 * Where package managers load from, as host patterns. Only hosts that serve packages and nothing else: a general store of
 * files, which some of them redirect to, would be open to everyone who has an account there.
 */
export const packageHosts: Readonly<Record<PackageManager, ReadonlyArray<string>>> = {
  apt: [
    "deb.debian.org",
    "security.debian.org",
    "ftp.debian.org",
    "*.ftp.debian.org",
    "archive.ubuntu.com",
    "*.archive.ubuntu.com",
    "security.ubuntu.com",
    "ports.ubuntu.com"
  ],
  cargo: ["crates.io", "index.crates.io", "static.crates.io", "static.rust-lang.org"],
  gem: ["rubygems.org", "index.rubygems.org"],
  go: ["proxy.golang.org", "sum.golang.org"],
  npm: ["registry.npmjs.org", "registry.yarnpkg.com", "nodejs.org"],
  pip: ["pypi.org", "pypi.python.org", "files.pythonhosted.org"]
}
