/** What is said while a turn can't go on, and will be tried again by itself. */
export const triedAgain =
  "It waits to be tried again: no runner could take it, or its model did not answer. troupe doctor looks for the reason."
