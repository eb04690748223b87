-- Durable jobs: what their calls came to, what they wait for, and the events.

-- One row for each durable call of a run, appended in the transaction of what the call causes; outcome is written once.
-- position: the ordinal of the call, from 1. settled and outcome are null while the call is open (it waits).
CREATE TABLE record (
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  settled INTEGER,
  outcome TEXT,
  PRIMARY KEY (job, run, position)
) STRICT, WITHOUT ROWID;

-- Where a suspended run stands, beside ready, delayed, blocked and lease. Its keys are kept.
-- worker: who parked its code in memory; woken: nothing is left to wait for, and until then that worker is preferred.
CREATE TABLE waiting (
  job INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  recover INTEGER NOT NULL,
  since INTEGER NOT NULL,
  worker INTEGER,
  woken INTEGER
) STRICT;
CREATE INDEX waiting_woken ON waiting (woken, worker) WHERE woken IS NOT NULL;

-- An open call: what it waits for. due: a sleep's end, or an event's timeout; shape and key: see src/job/durable/match.ts.
CREATE TABLE wait (
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  position INTEGER NOT NULL,
  due INTEGER,
  event TEXT,
  shape TEXT,
  key TEXT,
  child INTEGER,
  PRIMARY KEY (job, run, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX wait_due ON wait (due) WHERE due IS NOT NULL;
CREATE INDEX wait_event ON wait (event, shape, key) WHERE event IS NOT NULL;
CREATE INDEX wait_child ON wait (child) WHERE child IS NOT NULL;

-- The order of numbers is the order of events. The newest stays, because runs remember after which one they began.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  key TEXT,
  at INTEGER NOT NULL,
  actor INTEGER NOT NULL,
  payload TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_by_key ON event (name, key) WHERE key IS NOT NULL;

-- The sets of paths that waits for an event look at, and the values that events have there.
CREATE TABLE event_shape (
  name TEXT NOT NULL,
  shape TEXT NOT NULL,
  PRIMARY KEY (name, shape)
) STRICT, WITHOUT ROWID;
CREATE TABLE event_match (
  name TEXT NOT NULL,
  shape TEXT NOT NULL,
  key TEXT NOT NULL,
  event INTEGER NOT NULL,
  PRIMARY KEY (name, shape, key, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_match_by_event ON event_match (event);

-- Events that a job was given; it is never given one twice.
CREATE TABLE consumed (
  job INTEGER NOT NULL,
  event INTEGER NOT NULL,
  PRIMARY KEY (job, event)
) STRICT, WITHOUT ROWID;
