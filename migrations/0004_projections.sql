-- Read tables are filled from the log by projectors. A row says how far one version of one projection has come; it moves
-- in the transaction that writes what the events mean. Versions fill beside each other, each row of a read table says
-- which (`generation`), and readers see the live one: a rebuild is a new version, switched to when it has caught up.

CREATE TABLE projections (
  name text NOT NULL,
  version integer NOT NULL,
  xid xid8 NOT NULL DEFAULT '0',
  position bigint NOT NULL DEFAULT 0,
  live boolean NOT NULL DEFAULT false,
  moved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, version)
);
-- ;;
CREATE UNIQUE INDEX projections_live ON projections (name) WHERE live;
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON projections TO troupe_app;
  END IF;
END $$;
