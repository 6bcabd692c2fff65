-- The nodes beside the cluster's own tables: who holds which lock, and the secret they know each other by.

CREATE TABLE nodes (
  -- As in the cluster's own table of members. A node that comes back on the same address takes the row over.
  address text PRIMARY KEY,
  -- One for each start of a process.
  node_id uuid NOT NULL,
  -- The advisory lock that lives exactly as long as the node does. Never negative: pg_locks shows keys unsigned.
  lock_key integer NOT NULL CHECK (lock_key >= 0),
  release text NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT now()
);
-- ;;
-- Whoever may read this database may join the cluster, and nobody else.
CREATE TABLE cluster_secret (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  secret text NOT NULL
);
-- ;;
INSERT INTO cluster_secret (secret) VALUES (gen_random_uuid()::text || gen_random_uuid()::text);
