-- Lists of sessions keep to their page also where their filter leaves few: without these, a list looks through all
-- sessions of the workspace for the few that it shows.

CREATE INDEX sessions_agent ON sessions (workspace_id, agent_id, created_at, session_id) WHERE deleted_at IS NULL;
-- ;;
CREATE INDEX sessions_end_user ON sessions (workspace_id, end_user, created_at, session_id)
  WHERE end_user IS NOT NULL AND deleted_at IS NULL;
-- ;;
CREATE INDEX sessions_deployment ON sessions (workspace_id, deployment_id, created_at, session_id)
  WHERE deployment_id IS NOT NULL AND deleted_at IS NULL;
-- ;;
-- Of those that are not idle there are few. An index on every status would be written with every turn's begin and end.
CREATE INDEX sessions_busy ON sessions (workspace_id, created_at, session_id, status)
  WHERE status <> 'idle' AND deleted_at IS NULL;
