// What npm's scripts begin with: says so where Node is too old to read what comes next. In the JavaScript of 2009, which every
// Node reads; nothing newer is to come in here.
/* oxlint-disable no-var */
var oldest = 20
var running = process.versions.node

if (parseInt(running, 10) < oldest) {
  console.error(
    "troupe: Node " + running + " is too old; put Node " + oldest + " or newer first in PATH, then run this again."
  )
  process.exit(1)
}
