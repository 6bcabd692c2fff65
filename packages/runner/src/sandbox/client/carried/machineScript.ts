import { systemPath } from "../../Tools.ts"
import { quoted } from "../scripts.ts"

/** What of an answer is sent at once: in text, no more than clients keep of what one command prints. */
export const pageBytes = 4_194_304
export const plainBytes = 524_288

const needed = "tar gzip base64 find stat sort comm sed dd mkfifo grep head tail tr env".split(" ")

/**
 * What a machine that is elsewhere does for us. It is asked by single commands, each of which ends soon, since that is what
 * every client can do. Answers are pages, packed and in base64, between marks that nobody there knows before.
 *
 * A process has a keeper, which outlives the command that started it. What the process prints is cut into numbered pieces, and
 * no more than 32 of each stream wait to be fetched; what is fetched goes with the next request. Its input comes the same way.
 */
export const machineScript = `T=\${0%/*}
PATH=${systemPath}
export PATH LC_ALL=C
umask 022
cd "$T" || exit 1
nonce=$1 verb=$2
shift 2
switch=$(cat switch 2> /dev/null)

page() {
  for size in ${pageBytes} ${plainBytes}; do
    tail -c "+$(($2 + 1))" "$1" | head -c "$size" | gzip -1 > "page.$$"
    [ $(($(wc -c < "page.$$"))) -gt ${plainBytes} ] || break
  done
  base64 < "page.$$" | tr -d '\\n'
  rm -f "page.$$"
}
answer() {
  cat > "answer.$$"
  bytes=$(($(wc -c < "answer.$$")))
  printf '\\n<%s %s %s ' "$nonce" "$$" "$bytes"
  page "answer.$$" 0
  printf '>\\n'
  [ "$bytes" -gt ${plainBytes} ] || rm -f "answer.$$"
}
nap() { sleep "$1" 2> /dev/null || sleep 1; }
marked() {
  grep -l "^Max file locks  *[^ ]*  *$1 " /proc/[0-9]*/limits 2> /dev/null | while IFS=/ read -r _ _ pid _; do
    grep -q '^State:[^A-Z]*[ZX]' "/proc/$pid/status" 2> /dev/null || echo "$pid"
  done
}
slay() {
  looks=0
  while pids=$(marked "$1"); [ -n "$pids" ] && [ "$looks" -lt 500 ]; do
    kill -KILL $pids 2> /dev/null
    looks=$((looks + 1))
    nap 0.02
  done
}
consume() {
  gone=$(($2 - 1))
  while [ -e "$1.$gone" ]; do rm -f "$1.$gone"; gone=$((gone - 1)); done
}
gather() {
  next=$2
  : > "$1.now"
  while [ -e "$1.$next" ] && [ $((next - $2)) -lt 32 ]; do cat "$1.$next" >> "$1.now"; next=$((next + 1)); done
}

all() {
  $switch find "$@" ! -name '*
*' -exec stat -c '%f/%s/%i/%y/%z/%n' {} + 2> /dev/null | sort
}

# Of what was not found, what is really gone: a search that broke off takes nothing away.
gone() {
  while IFS= read -r line; do
    path=/\${line#*//}
    [ -e "$path" ] || [ -L "$path" ] || printf '%s\\n' "-$line"
  done
}

case $verb in
put)
  [ "$2" = more ] || : > "$1"
  printf %s "$3" | base64 -d >> "$1"
  echo | answer
  ;;
page)
  printf '\\n<%s - - ' "$nonce"
  page "answer.$1" "$2"
  printf '>\\n'
  ;;
done) rm -f "answer.$1"; echo | answer ;;
start)
  d=p$1
  mkdir "$d" && mkfifo "$d/out" "$d/err" "$d/bell" || exit 1
  if [ -n "$4" ]; then printf %s "$4" | base64 -d > "$d/inner"; else mv "inner.$1" "$d/inner"; fi
  [ -z "$switch" ] || chown "$(cat owner)" "$d/out" "$d/err"
  session=$(command -v setsid) || session=nohup
  (cd / && "$session" /bin/sh "$T/m" - keep "$1" "$2" "$3" < /dev/null > /dev/null 2>&1 &)
  tries=0
  until [ -s "$d/began" ] || [ -e "$d/code" ] || [ "$tries" -gt 1500 ]; do nap 0.02; tries=$((tries + 1)); done
  { cat "$d/began"; tail -c 1000 "$d/trouble"; } 2> /dev/null | answer
  ;;
keep)
  number=$1 input=$2 mark=$3
  d=$T/p$number
  exec 4<> "$d/bell"
  /bin/sh "$T/m" - pump "$d" out 4>&- &
  /bin/sh "$T/m" - pump "$d" err 4>&- &
  run() {
    /bin/sh "$T/m" - begin "$d" "$mark" "$input" 4>&-
    echo $? > "$d/status"
    echo end >&4
  }
  if [ "$input" = 1 ]; then /bin/sh "$T/m" - feeder "$d" 4>&- | run; else run < /dev/null; fi
  slay "$mark"
  mv "$d/status" "$d/code"
  ;;
begin)
  {
    if command -v prlimit > /dev/null; then prlimit --pid $$ --locks="$2:$2"
    else ulimit -x "$2" || ulimit -w "$2"
    fi
  } 2> "$1/trouble"
  # Programs may open their own input once more, by its name.
  [ -z "$switch" ] || [ "$3" = 0 ] || chown "$(cat owner)" /proc/self/fd/0
  exec 3> "$1/began" > "$1/out" 2> "$1/err"
  exec $switch env -i PATH="$PATH" /bin/sh "$1/inner"
  ;;
pump)
  cd "$1" || exit 1
  n=0
  while :; do
    while [ -e "$2.$((n - 32))" ]; do nap 0.05; done
    dd bs=65536 count=1 of="$2.part" 2> /dev/null
    [ -s "$2.part" ] || break
    mv "$2.part" "$2.$n"
    n=$((n + 1))
  done < "$2"
  : > "$2.end"
  ;;
feeder)
  cd "$1" || exit 1
  n=0
  while read -r what; do
    [ "$what" = more ] || break
    cat "in.$n" || break
    rm -f "in.$n"
    n=$((n + 1))
  done < bell
  ;;
feed)
  d=p$1
  if [ -e "$d/status" ] || [ -e "$d/code" ]; then echo gone | answer; exit; fi
  printf %s "$3" | base64 -d > "$d/in.$2"
  echo more 1<> "$d/bell"
  echo fed | answer
  ;;
close) echo end 1<> "p$1/bell"; echo | answer ;;
poll)
  d=p$1 o=$2 e=$3 wants=$4 most=$5
  [ ! -e "next.$6" ] || mv "next.$6" seen
  shift 6
  cd "$d" || exit 1
  consume out "$o"
  consume err "$e"
  ticks=0
  while [ "$ticks" -lt "$most" ]; do
    if [ "$wants" = 1 ]; then
      { [ -e "out.$o" ] || [ -e "err.$e" ]; } && break
      [ -e code ] && [ -e out.end ] && [ -e err.end ] && break
    else
      [ -e code ] && break
    fi
    ticks=$((ticks + 1))
    if [ "$ticks" -lt 25 ]; then nap 0.02; elif [ "$ticks" -lt 50 ]; then nap 0.1; else nap 0.25; fi
  done
  code=- ended=0
  [ -e code ] && code=$(cat code)
  # All was said a moment before it is known how it ended.
  [ "$code" != - ] && [ -e out.end ] && [ -e err.end ] && ended=1
  if [ "$wants" = 1 ]; then
    gather out "$o"; o=$next
    gather err "$e"; e=$next
    { [ -e "out.$o" ] || [ -e "err.$e" ]; } && ended=0
  else
    : > out.now; : > err.now; ended=0
  fi
  cd "$T"
  same=1
  if [ "$code" != - ] || [ -s "$d/out.now" ] || [ -s "$d/err.now" ]; then
    : >> seen
    all "$@" > "all.$$"
    [ -z "$(comm -3 seen "all.$$" | head -c 1)" ] || same=0
    rm -f "all.$$"
  fi
  { echo "$o $e $(($(wc -c < "$d/out.now"))) $code $ended $same"; cat "$d/out.now" "$d/err.now"; } | answer
  ;;
end)
  slay "$2"
  tries=0
  until [ -e "p$1/code" ] || [ "$tries" -gt 500 ]; do slay "$2"; nap 0.02; tries=$((tries + 1)); done
  echo | answer
  ;;
signal)
  pids=$(marked "$1")
  [ -z "$pids" ] || kill -s "$2" $pids 2> /dev/null
  echo | answer
  ;;
forget) rm -rf "p$1"; echo | answer ;;
list)
  [ ! -e "next.$1" ] || mv "next.$1" seen
  rm -f next.*
  : >> seen
  shift
  all "$@" > "next.$$"
  { echo "$$"; comm -13 seen "next.$$" | sed 's/^/+/'; comm -23 seen "next.$$" | gone; } | answer
  ;;
missing)
  while IFS= read -r path; do [ -e "$path" ] || [ -L "$path" ] || printf '%s\\n' "$path"; done < want | answer
  ;;
fetch)
  if tar --version 2> /dev/null | grep -q GNU; then tr '\\n' '\\0' < want | $switch tar --null -cf - -T - 2> /dev/null
  else $switch tar -cf - -T - < want 2> /dev/null
  fi | answer
  ;;
drop)
  [ "$1" = session ] || switch=
  $switch /bin/sh -c 'while IFS= read -r path; do rm -rf -- "$path"; done' < gone
  echo | answer
  ;;
take)
  [ "$1" = session ] || switch=
  if { gzip -dc < stage | $switch tar -xpof - -C /; } 2> trouble; then echo taken; else tail -c 1000 trouble; fi | answer
  rm -f stage
  ;;
esac
`

export interface Setup {
  readonly nonce: string
  /** Of ours in the machine. */
  readonly place: string
  readonly directories: ReadonlyArray<{ readonly path: string; readonly readOnly: boolean }>
  /** As whom the session's programs run where the client's user is root. */
  readonly account: { readonly uid: number; readonly gid: number }
}

const words = (paths: ReadonlyArray<string>) => paths.map(quoted).join(" ")

/**
 * Run once, as whoever the client runs things as. Where that is root, what is ours in the machine is out of the reach of the
 * session's programs, and what touches their directories is done as they would. Answers `ready`, or what stands in the way.
 */
export const setupScript = ({ account, directories, nonce, place }: Setup): string => {
  const own = `${account.uid}:${account.gid}`
  const all = words([place, ...directories.map(({ path }) => path)])
  const theirs = words(directories.flatMap(({ path, readOnly }) => (readOnly ? [] : [path])))
  const switched = [
    ...["setpriv", `--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups", "--no-new-privs"],
    ...["--bounding-set=-all", "--inh-caps=-all", "--"]
  ].join(" ")
  return `say() { printf '\\n<%s %s>\\n' ${nonce} "$1"; exit 0; }
missing= who=user by=
for tool in ${needed.join(" ")}; do command -v $tool > /dev/null || missing="$missing $tool"; done
if [ "$(id -u)" = 0 ]; then who=root; command -v setpriv > /dev/null || missing="$missing setpriv"
elif sudo -n true 2> /dev/null; then by="sudo -n"; fi
[ -z "$missing" ] || say "missing$missing"
umask 022
mkdir -p ${all} 2> /dev/null || $by mkdir -p ${all} 2> /dev/null || say directories
if [ $who = root ]; then
  ${theirs === "" ? "true" : `chown ${own} ${theirs}`} && echo '${switched}' > ${place}/switch && echo ${own} > ${place}/owner || say directories
else
  for one in ${all}; do [ -w "$one" ] || $by chown "$(id -u)" "$one" 2> /dev/null || say directories; done
fi
printf %s ${Buffer.from(machineScript).toString("base64")} | base64 -d > ${place}/m && chmod 711 ${place} || say "its files can't be written"
say ready`
}

/** One request to what the setup has put there. */
export const requestOf = (place: string, asked: ReadonlyArray<string>): string =>
  `exec env -i PATH=${systemPath} ${["/bin/sh", `${place}/m`, ...asked].map(quoted).join(" ")}`
