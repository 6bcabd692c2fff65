-- A search looks through the newest documents of its workspace first, in their order.
CREATE INDEX search_documents_newest ON search_documents (workspace_id, generation, recorded_at, session_id);
-- ;;
-- Which node does what a request with this key asks for; none where it is done, or was given up.
ALTER TABLE idempotency_keys ADD COLUMN held_by uuid;
