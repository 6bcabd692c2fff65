-- What the gateway says of a session's sandbox without reading all of its log.
CREATE INDEX events_sandbox ON events (stream_id, seq) WHERE type = 'SandboxCreated';
