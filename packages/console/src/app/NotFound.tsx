import { Link } from "@tanstack/react-router"
import { Compass } from "lucide-react"
import { Empty } from "../ui/Empty.tsx"

export const NotFound = () => (
  <main>
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
  </main>
)
