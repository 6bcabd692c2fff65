import { type PackageManager, packageManagers } from "@troupe/domain/environment/EnvironmentConfig"
import { apt } from "./apt.ts"
import type { Manager } from "./Manager.ts"

/** Each installs into a directory of its own, as whoever it runs as, and with nothing to answer. */
export const managers: Readonly<Record<PackageManager, Manager>> = {
  apt,
  cargo: {
    steps: (packages, { target, work }) => ({
      program: "cargo",
      commands: [["cargo", "install", "--root", target, ...packages]],
      variables: { CARGO_HOME: `${work}/cargo`, CARGO_TARGET_DIR: `${work}/cargo-target`, CARGO_TERM_COLOR: "never" }
    }),
    offers: (target) => ({ PATH: [`${target}/bin`] })
  },
  gem: {
    steps: (packages, { target }) => ({
      program: "gem",
      commands: [
        ["gem", "install", "--no-document", "--install-dir", target, "--bindir", `${target}/bin`, ...packages]
      ],
      variables: {}
    }),
    // The empty last place stands for those that Ruby has of its own.
    offers: (target) => ({ PATH: [`${target}/bin`], GEM_PATH: [target, ""] })
  },
  go: {
    steps: (packages, { target, work }) => ({
      program: "go",
      // Go installs programs of one module at a time, and asks for a version.
      commands: packages.map((name) => ["go", "install", name.includes("@") ? name : `${name}@latest`] as const),
      variables: {
        GOBIN: `${target}/bin`,
        GOPATH: `${work}/go`,
        GOCACHE: `${work}/go-cache`,
        GOFLAGS: "-modcacherw",
        GOTOOLCHAIN: "local"
      }
    }),
    offers: (target) => ({ PATH: [`${target}/bin`] })
  },
  npm: {
    steps: (packages, { target, work }) => ({
      program: "npm",
      commands: [["npm", "install", "--global", "--prefix", target, "--no-audit", "--no-fund", ...packages]],
      variables: { npm_config_cache: `${work}/npm`, npm_config_update_notifier: "false", npm_config_color: "false" }
    }),
    offers: (target) => ({ PATH: [`${target}/bin`], NODE_PATH: [`${target}/lib/node_modules`] })
  },
  pip: {
    steps: (packages, { target, work }) => ({
      program: "python3",
      commands: [
        ["python3", "-m", "pip", "install", "--target", target, "--no-input", "--progress-bar", "off", ...packages]
      ],
      variables: {
        PIP_CACHE_DIR: `${work}/pip`,
        PIP_DISABLE_PIP_VERSION_CHECK: "1",
        PIP_NO_COLOR: "1"
      }
    }),
    offers: (target) => ({ PATH: [`${target}/bin`], PYTHONPATH: [target] })
  }
}

/** Those that an environment has packages of, in the order in which they run. */
export const used = (
  packages: Readonly<Record<PackageManager, ReadonlyArray<string>>>
): ReadonlyArray<PackageManager> => packageManagers.filter((name) => packages[name].length > 0)
