-- Outcomes of calls that were recorded lately, in the order in which they were recorded. In record each run has a page of its
-- own, so a commit that many runs share would write one page for each of them; here it writes one for all. Moved to record in
-- chunks, so it is short. Only calls that were recorded with their outcome stand here.
CREATE TABLE record_tail (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL
) STRICT;

-- The whole record of a run.
CREATE VIEW recorded AS
  SELECT job, run, position, kind, name, digest, at, settled, outcome FROM record
  UNION ALL
  SELECT job, run, position, kind, name, digest, at, at AS settled, outcome FROM record_tail;
