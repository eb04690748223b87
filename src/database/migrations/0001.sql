-- The records of the embedded backend. Written once, appended to, deleted: rows that are updated in place are kept off the hot path.
-- Times are Unix milliseconds (wall clock) unless a name ends in _mono (milliseconds since the machine started).
-- A job is an integer here: 41 bits of milliseconds since 2025-01-01 and 12 bits of counter; its UUIDv7 text is derived from it.

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- Interned: what many jobs have in common stands once.
CREATE TABLE actor (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  via TEXT NOT NULL,
  UNIQUE (kind, name, via)
) STRICT;

-- A queue is a job type and the labels that a worker must have (canonical JSON). Claims are per queue.
CREATE TABLE queue (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  requires TEXT NOT NULL,
  UNIQUE (type, requires)
) STRICT;

-- What a job obeys, resolved when it was submitted (JSON).
CREATE TABLE rules (
  id INTEGER PRIMARY KEY,
  body TEXT NOT NULL UNIQUE
) STRICT;

-- rank = due - (priority - 2) * age: the order of claims, in which waiting outweighs priority after a while.
CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL,
  rules INTEGER NOT NULL,
  actor INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  due INTEGER NOT NULL,
  env TEXT NOT NULL
) STRICT;

-- Where the newest run of a job stands: in exactly one of ready, delayed, blocked, lease (inside jobs) or done.
CREATE TABLE ready (
  queue INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  recover INTEGER NOT NULL,
  PRIMARY KEY (queue, rank, job)
) STRICT, WITHOUT ROWID;

-- Jobs whose worker died before; nearly always empty.
CREATE INDEX ready_suspect ON ready (queue, rank, job) WHERE crashes > 0;

-- reason: due (its time has not come), retry (back-off), rate (a rate limit holds it), adopt (left to the machine that ran it).
CREATE TABLE delayed (
  due INTEGER NOT NULL,
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  recover INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (due, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX delayed_by_job ON delayed (job);

-- Due, and waiting for a concurrency key; one row, under the first key that was full.
CREATE TABLE blocked (
  key TEXT NOT NULL,
  rank INTEGER NOT NULL,
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  recover INTEGER NOT NULL,
  PRIMARY KEY (key, rank, job)
) STRICT, WITHOUT ROWID;

-- Who holds a concurrency key: from being let into ready to the end of the attempt, and while waiting.
CREATE TABLE holder (
  key TEXT NOT NULL,
  job INTEGER NOT NULL,
  PRIMARY KEY (key, job)
) STRICT, WITHOUT ROWID;

-- One row for each batch of claims is the fence: who finds its row gone has lost everything in it.
-- jobs: JSON array of [job, run, attempt, failures, crashes]; an entry that stands in done has ended.
CREATE TABLE lease (
  epoch INTEGER PRIMARY KEY,
  worker INTEGER NOT NULL,
  at INTEGER NOT NULL,
  jobs TEXT NOT NULL
) STRICT;
CREATE INDEX lease_by_worker ON lease (worker);

CREATE TABLE done (
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  worker INTEGER,
  claimed INTEGER,
  finished INTEGER NOT NULL,
  result TEXT,
  error TEXT,
  PRIMARY KEY (job, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX done_unusual ON done (state, job) WHERE state <> 'completed';

-- Unusual events only; the ordinary ones are read from the columns of job, lease and done.
CREATE TABLE history (
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (job, run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE progress (
  job INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;

CREATE TABLE cancel_request (
  job INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  at INTEGER NOT NULL,
  actor INTEGER NOT NULL
) STRICT;

-- kind: expires (when it has not started by then) or deadline (when it has not finished by then).
CREATE TABLE expiry (
  at INTEGER NOT NULL,
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (at, job, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  job INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (type, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE metadata (
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  job INTEGER NOT NULL,
  PRIMARY KEY (key, value, job)
) STRICT, WITHOUT ROWID;

-- slot: the child's own key, or the ordinal of the call that made it.
CREATE TABLE child (
  parent INTEGER NOT NULL,
  run INTEGER NOT NULL,
  slot TEXT NOT NULL,
  job INTEGER NOT NULL,
  PRIMARY KEY (parent, run, slot)
) STRICT, WITHOUT ROWID;

-- Token bucket (generic cell rate algorithm): from base on, used units were taken; horizon is the last time given to a job that must wait.
CREATE TABLE rate (
  key TEXT PRIMARY KEY,
  base INTEGER NOT NULL,
  used INTEGER NOT NULL,
  horizon REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- An outside effect, recorded before it starts. at: when that was, or when its worker was lost.
CREATE TABLE effect (
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  at INTEGER NOT NULL,
  folder TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (job, run)
) STRICT, WITHOUT ROWID;

-- Values too large to stand in the database: files below the artifact root, one for each row.
CREATE TABLE value (
  job INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;

-- The manifest is the promotion of an attempt's files; moving them follows and is repeated after a crash.
CREATE TABLE manifest (
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  root TEXT NOT NULL,
  folder TEXT NOT NULL,
  at INTEGER NOT NULL,
  moved INTEGER NOT NULL,
  files TEXT NOT NULL,
  PRIMARY KEY (job, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_unmoved ON manifest (job) WHERE moved = 0;

-- A worker process. Alive while it holds the lock of its file workers/<uuid>.db; its leases hold while beat_mono is fresh.
CREATE TABLE worker (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  boot TEXT NOT NULL,
  schema INTEGER NOT NULL,
  artifact_root TEXT NOT NULL,
  types TEXT NOT NULL,
  labels TEXT NOT NULL,
  concurrency INTEGER NOT NULL,
  lease_ms INTEGER NOT NULL,
  started INTEGER NOT NULL,
  beat_mono REAL NOT NULL,
  stopping INTEGER,
  stopped INTEGER
) STRICT;
CREATE INDEX worker_live ON worker (id) WHERE stopped IS NULL;

CREATE TABLE type (
  name TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  published INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  actor INTEGER NOT NULL,
  created INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  next INTEGER,
  last INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_due ON schedule (next) WHERE paused = 0 AND next IS NOT NULL;

-- A slot of a schedule fires once, whatever clocks and schedulers do.
CREATE TABLE schedule_slot (
  schedule TEXT NOT NULL,
  instant INTEGER NOT NULL,
  job INTEGER,
  reason TEXT,
  missed INTEGER NOT NULL,
  PRIMARY KEY (schedule, instant)
) STRICT, WITHOUT ROWID;
