import { Link } from "@tanstack/react-router"
import { Compass } from "lucide-react"
import { Empty } from "../ui/Empty.tsx"
import { PageHeader } from "./PageHeader.tsx"

const Nothing = () => (
  <Empty
    icon={Compass}
    title="There is no such page"
    actions={
      <Link className="button" to="/">
        Go to the sessions
      </Link>
    }
  >
    <p>The address may be mistyped, or come from a newer console.</p>
  </Empty>
)

export const NotFound = () => (
  <main>
    <Nothing />
  </main>
)

/** The same inside of a workspace, with all that is around a page. */
export const NoPage = () => (
  <>
    <PageHeader title="No page" />
    <Nothing />
  </>
)
