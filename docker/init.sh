#!/bin/sh
# The first process of a container is given what has lost its parent, and has to take it once it has ended. Node does not: what
# sandboxes leave behind would count as their processes, until they may start no more. So tini is the first where it is there,
# and nobody else is (`docker run --init`).
if [ $$ -eq 1 ] && tini=$(command -v tini); then exec "$tini" -- "$@"; fi
exec "$@"
