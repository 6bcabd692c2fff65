// What the page that is shown while the node can't be reached does: it says where that is, and comes back with it.
const everyMs = 2_000

document.querySelector("#address").textContent = location.origin

const look = async () => {
  const found = await fetch("/readyz", { cache: "no-store" }).catch(() => null)
  if (found?.ok) location.reload()
  else setTimeout(look, everyMs)
}

document.querySelector("#again").addEventListener("click", () => location.reload())
void look()
