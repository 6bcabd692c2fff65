/**
 * What runs inside of a container for us, for any shell of POSIX. It uses nothing but what is built into the shell: it
 * has to work where the sandbox may start no more processes, and in images that hold little besides a shell.
 *
 * Of a process, `/proc/ID/status` is read and not `stat`: there a line break or a bracket in its name means nothing.
 */
const processes = `
look() {
  parent= state=
  while read -r key value rest; do
    case $key in State:) state=$value ;; PPid:) parent=$value; return 0 ;; esac
  done 2>/dev/null <"/proc/$1/status"
  return 1
}
below() {
  family=" $1 " living= grown=1
  while [ "$grown" ]; do
    grown=
    for entry in /proc/[0-9]*; do
      id=\${entry#/proc/}
      case "$family $2 " in *" $id "*) continue ;; esac
      look "$id" || continue
      case $family in *" $parent "*) ;; *) continue ;; esac
      family="$family$id " grown=1
      [ "$state" = Z ] || living="$living$id "
    done
  done
}
alive() {
  for id in $1; do look "$id" && [ "$state" != Z ] && return 0; done
  return 1
}
finish() {
  while :; do
    stopped=" "
    while :; do
      below "$1" "$2"
      new=
      for id in $living $3; do case $stopped in *" $id "*) ;; *) new="$new $id" ;; esac; done
      [ "$new" ] || break
      kill -STOP $new
      stopped="$stopped$new "
    done
    alive "$living $3" || return 0
    kill -KILL $living $3
  done
}
`

/**
 * Stands between an exec's first process, a subreaper, and the program. Once the program has ended it ends all that the
 * program left behind, so that neither the streams nor anything else outlives it. It stops each process before it
 * kills any: a stopped one keeps its place in the limit of processes, where one that is killed makes room for a fork.
 *
 * A runtime that knows no subreapers (gVisor) gives orphans to init, which makes them everybody's: there the end of one
 * exec is the end of what any has left behind.
 *
 *     sh -c launcher TOKEN KEEPER COLUMNS ROWS PROGRAM ARGUMENTS
 */
export const launcher = `${processes}
trap : HUP INT QUIT TERM
keeper=$1 columns=$2 rows=$3 reaper=$PPID
shift 3
[ "$reaper" -gt 0 ] || reaper=1
[ "$columns" = 0 ] || stty cols "$columns" rows "$rows" 2>/dev/null
exec 3>&2 2>/dev/null
( exec 2>&3 3>&-; exec "$@" )
code=$?
finish "$reaper" "$$ $keeper"
exit "$code"
`

/**
 * The container's own process: takes one order a line and answers with its number and a word. The first process of an
 * exec has no parent in here (0) and carries the exec's token among its arguments; what lost its parent without being
 * below such a process, because somebody killed that, has the container's init (1) for a parent, as the keeper has.
 */
export const keeper = `${processes}
trap '' HUP INT QUIT TERM USR1 USR2 PIPE ALRM TSTP TTIN TTOU
carries() {
  while read -r line || [ "$line" ]; do
    case $line in *"$2"*) return 0 ;; esac
    line=
  done 2>/dev/null <"/proc/$1/cmdline"
  return 1
}
find() {
  root=
  for entry in /proc/[0-9]*; do
    id=\${entry#/proc/}
    [ "$id" != 1 ] && look "$id" && [ "$parent" = 0 ] && carries "$id" "$1" && root="$root $id"
  done
}
order() {
  answer=done
  case $1 in
    ready) answer=$$ ;;
    finish) find "$2"; for each in $root; do finish "$each" "" "$each"; done; finish 1 $$ ;;
    signal)
      find "$2"
      answer=none
      for each in $root; do
        below "$each"
        for id in $living; do
          look "$id"
          [ "$parent" = "$each" ] && carries "$id" "$2" && continue
          kill -"$3" "$id" && answer=done
        done
      done ;;
    enter) if cd -P "$2"; then cd /; else answer=closed; fi ;;
    reset)
      while kill -KILL -1; do
        below "0 1" $$
        alive "$living" || break
      done ;;
    memory)
      answer=unknown
      for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        while read -r key value; do [ "$key" = oom_kill ] && answer=$value; done <"$file"
      done ;;
    *) answer=unknown ;;
  esac
}
exec 2>/dev/null
while read -r number verb token; do
  argument=
  [ "$verb" = enter ] || case $token in *" "*) argument=\${token#* } token=\${token%% *} ;; esac
  order "$verb" "$token" "$argument"
  echo "$number $answer"
done
`
