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
-- ;;
-- The cluster's own tables of members and shard locks, as effect's SqlRunnerStorage wants them: made here so that there is
-- one history of migrations. A test compares them with what the library would make.
CREATE TABLE cluster_runners (
  machine_id serial PRIMARY KEY,
  address varchar(255) NOT NULL UNIQUE,
  runner text NOT NULL,
  healthy boolean NOT NULL DEFAULT true,
  last_heartbeat timestamp NOT NULL DEFAULT now()
);
-- ;;
CREATE TABLE cluster_locks (
  shard_id varchar(50) PRIMARY KEY,
  address varchar(255) NOT NULL,
  acquired_at timestamp NOT NULL
);
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON nodes, cluster_runners, cluster_locks TO troupe_app;
    GRANT USAGE ON SEQUENCE cluster_runners_machine_id_seq TO troupe_app;
    GRANT SELECT ON cluster_secret TO troupe_app;
  END IF;
END
$$;
