import { egress } from "../sandbox/Sandbox.ts"
import type { Manager } from "./Manager.ts"

/** What the libraries of this architecture are filed under. */
const triplets: Readonly<Record<string, string>> = {
  x64: "x86_64-linux-gnu",
  arm64: "aarch64-linux-gnu",
  riscv64: "riscv64-linux-gnu",
  ppc64: "powerpc64le-linux-gnu",
  s390x: "s390x-linux-gnu"
}

/**
 * Downloads what the system of the sandbox lacks and unpacks it beside it, as anybody may. Maintainer scripts don't run: they
 * would have to be root and change the system; the alternatives that they name become links. Links to absolute places are led to what was unpacked, where that has them. A
 * C library other than the system's would keep every program from starting.
 */
const script = `set -eu
target=$1 work=$2/apt proxy=$3
shift 3
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/log" "$target"
cat > "$work/apt.conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
Dir::State "$work/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$work/cache";
Dir::Log "$work/log";
Debug::NoLocking "true";
APT::Update::Error-Mode "any";
APT::Keep-Downloaded-Packages "true";
Binary::apt-get::APT::Keep-Downloaded-Packages "true";
Acquire::Retries "3";
Acquire::Languages "none";
END
if [ -n "$proxy" ]; then
  printf 'Acquire::http::Proxy "%s";\\nAcquire::https::Proxy "%s";\\n' "$proxy" "$proxy" >> "$work/apt.conf"
fi
alternatives() {
  sed -e ':a' -e '/\\\\$/{N;s/\\\\\\n/ /;ba' -e '}' |
    sed -nE 's|.*update-alternatives .*--install[[:space:]]+(/[^[:space:]$]+)[[:space:]]+[^[:space:]]+[[:space:]]+(/[^[:space:]$]+)[[:space:]].*|\\1 \\2|p'
}
: > "$work/alternatives"
apt-get -c "$work/apt.conf" --quiet update
apt-get -c "$work/apt.conf" --quiet --yes --no-install-recommends --download-only install -- "$@"
for archive in "$work"/cache/archives/*.deb; do
  [ -e "$archive" ] || continue
  case \${archive##*/} in
    libc6_*) echo "the packages need another C library than the system has" >&2; exit 65 ;;
  esac
  echo "Unpacking \${archive##*/}"
  dpkg-deb --extract "$archive" "$target"
  dpkg-deb --ctrl-tarfile "$archive" | tar -xO ./postinst 2>/dev/null | alternatives >> "$work/alternatives" || true
done
while read -r link to; do
  if [ -e "$target$to" ] && [ ! -e "$target$link" ]; then
    mkdir -p "$(dirname "$target$link")"
    ln -sfnr "$target$to" "$target$link"
  fi
done < "$work/alternatives"
find "$target" -type l -lname '/*' | while read -r link; do
  to=$(readlink "$link")
  if [ -e "$target$to" ]; then ln -sfnr "$target$to" "$link"; fi
done
for modules in "$target"/usr/lib/*/perl5/5.*; do
  if [ -d "$modules" ]; then ln -sfnr "$modules" "$target/usr/lib/perl5-compiled"; fi
done
rm -rf "$work"`

export const apt: Manager = {
  steps: (packages, { target, work }) => ({
    program: "apt-get",
    commands: [["sh", "-c", script, "sh", target, work, `http://${egress.host}:${egress.port}`, ...packages]],
    variables: { DEBIAN_FRONTEND: "noninteractive" }
  }),
  offers: (target) => {
    const triplet = triplets[process.arch]
    const libraries = [`${target}/usr/lib`, `${target}/lib`]
    const places = triplet === undefined ? libraries : libraries.flatMap((place) => [`${place}/${triplet}`, place])
    return {
      PATH: ["usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin", "usr/games"].map((place) => `${target}/${place}`),
      LD_LIBRARY_PATH: places,
      LIBRARY_PATH: places,
      CPATH: [`${target}/usr/include`, ...(triplet === undefined ? [] : [`${target}/usr/include/${triplet}`])],
      PKG_CONFIG_PATH: [...places, `${target}/usr/share`].map((place) => `${place}/pkgconfig`),
      PYTHONPATH: [`${target}/usr/lib/python3/dist-packages`],
      // The place of compiled modules has Perl's version in its name, which only the packages know.
      PERL5LIB: [`${target}/usr/share/perl5`, `${target}/usr/lib/perl5-compiled`],
      // The empty last place stands for the system's own.
      MANPATH: [`${target}/usr/share/man`, ""],
      XDG_DATA_DIRS: [`${target}/usr/share`, "/usr/local/share", "/usr/share"]
    }
  }
}
