#!/usr/bin/env bash
# Builds base images from Debian's packages alone: no registry is asked. As root on Debian or Ubuntu, with a running Docker.
#
#   docker/build-base.sh sandbox     troupe-sandbox:1         what sandboxes and their relays run
#   docker/build-base.sh small       troupe-sandbox-small:1   one static busybox, for tests
#   docker/build-base.sh postgres    troupe-postgres:15       a database for tests
#
# Several names build several images, side by side. An image is left as it is while its recipe, this file and what it copies, is the same.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
suite="${TROUPE_BASE_SUITE:-bookworm}"
recipe="$(sha256sum <"$here/build-base.sh" | cut -c1-16)-$suite"
work="$(mktemp -d)"
trap 'rm -rf --one-file-system "$work"' EXIT

# Nobody reads these in a sandbox.
without=("/usr/share/doc/*" "/usr/share/man/*" "/usr/share/info/*" "/usr/share/locale/*" "/usr/share/i18n/*")

bootstrap() { # TARBALL PACKAGES EXCLUDED... ; mmdebstrap takes a sixth of debootstrap's time
  local tarball="$1" packages="$2" option=() path
  shift 2
  if command -v mmdebstrap >/dev/null; then
    for path in "${without[@]}" "$@"; do option+=("--dpkgopt=path-exclude=$path"); done
    mmdebstrap --variant=minbase --include="$packages" "${option[@]}" \
      --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
      --essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
      --dpkgopt=force-confold --dpkgopt=force-unsafe-io "$suite" "$tarball" 2>"$tarball.log" || { tail -n 40 "$tarball.log" >&2; return 1; }
  elif command -v debootstrap >/dev/null; then
    debootstrap --variant=minbase --include="$packages" "$suite" "$tarball.root" >"$tarball.log" ||
      { cat "$tarball.log" >&2; return 1; }
    rm -rf "$tarball".root/var/cache/apt/archives/*.deb "$tarball".root/var/lib/apt/lists/*
    for path in "${without[@]}" "$@"; do rm -rf "$tarball".root/${path#/}; done
    tar -C "$tarball.root" --one-file-system -cf "$tarball" .
  else
    echo "mmdebstrap or debootstrap is needed: apt-get install --no-install-recommends mmdebstrap" >&2
    return 1
  fi
}

import() { # TARBALL IMAGE CHANGES...
  local tarball="$1" image="$2" changes=() change
  shift 2
  for change in "LABEL dev.troupe.recipe=$recipe" "$@"; do changes+=(--change "$change"); done
  docker import "${changes[@]}" "$tarball" "$image" >/dev/null
}

build_sandbox() { # IMAGE
  bootstrap "$work/sandbox.tar" bash,ca-certificates,curl,git,procps,python3-minimal,ripgrep,socat &&
    # Everybody could write there, and nothing in a sandbox does.
    tar --delete -f "$work/sandbox.tar" ./run/lock &&
    import "$work/sandbox.tar" "$1" "CMD [\"/bin/bash\"]"
}

build_small() {
  local root="$work/small" program
  mkdir -p "$root"/{bin,etc,tmp}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for program in $("$root/bin/busybox" --list); do ln -s busybox "$root/bin/$program" 2>/dev/null || true; done
  tar -C "$root" -cf "$work/small.tar" .
  import "$work/small.tar" "$1" "ENV PATH=/bin"
}

build_postgres() {
  local lib=/usr/lib/postgresql/15/lib
  # Compiling queries while they run is off in our servers, and the compiler is the largest part.
  bootstrap "$work/postgres.tar" postgresql-15 "/usr/lib/*/libLLVM*" "$lib/bitcode/*" "$lib/llvmjit*" &&
    install -D -m 755 "$here/postgres/entrypoint.sh" "$work/entry/usr/local/bin/entrypoint" &&
    tar -C "$work/entry" -rf "$work/postgres.tar" ./usr/local/bin/entrypoint &&
    import "$work/postgres.tar" "$1" "ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin" "EXPOSE 5432" \
      "ENTRYPOINT [\"/usr/local/bin/entrypoint\"]" "CMD [\"postgres\"]"
}

build() { # NAME
  local image
  case "$1" in
    sandbox) image=troupe-sandbox:1 ;;
    small) image=troupe-sandbox-small:1 ;;
    postgres) image=troupe-postgres:15 recipe="$recipe-$(sha256sum <"$here/postgres/entrypoint.sh" | cut -c1-16)" ;;
    *) echo "unknown image: $1" >&2; return 2 ;;
  esac
  if [ "$(docker image inspect --format '{{index .Config.Labels "dev.troupe.recipe"}}' "$image" 2>/dev/null)" = "$recipe" ]; then
    return 0
  fi
  local before
  before="$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)"
  "build_$1" "$image" || { echo "$image could not be built" >&2; return 1; }
  # In use by a container, it goes with a later one.
  if [ -n "$before" ]; then docker rmi "$before" >/dev/null 2>&1 || true; fi
  echo "$image: built in $SECONDS s"
}

[ "$#" -gt 0 ] || set -- sandbox small postgres
waiting=()
for name in "$@"; do (set -e; trap - EXIT; build "$name") & waiting+=("$!"); done
failed=0
for job in "${waiting[@]}"; do wait "$job" || failed=1; done
exit "$failed"
