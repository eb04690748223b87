-- Approvals: what was asked of people, and what they signed. Whoever uses one verifies it again; a state here is a hint that
-- something is to be looked at, and lets nothing pass.

-- position: the ordinal of the durable call that asks; 0 for the job as a whole, before it runs. details, terms: JSON.
-- What was asked is never changed. terms: as they were when it was last judged.
CREATE TABLE approval (
  id TEXT PRIMARY KEY,
  job INTEGER NOT NULL,
  run INTEGER NOT NULL,
  position INTEGER NOT NULL,
  title TEXT NOT NULL,
  details TEXT NOT NULL,
  digest TEXT NOT NULL,
  actor INTEGER NOT NULL,
  terms TEXT NOT NULL,
  asked INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  state TEXT NOT NULL,
  concluded INTEGER,
  used INTEGER
) STRICT;
CREATE UNIQUE INDEX approval_by_subject ON approval (job, run, position);
CREATE INDEX approval_pending ON approval (id) WHERE state = 'pending';

-- In the order in which they were stored. statement: the signed bytes; the columns before it repeat what it says.
CREATE TABLE decision (
  approval TEXT NOT NULL,
  seq INTEGER NOT NULL,
  principal TEXT NOT NULL,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  statement TEXT NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (approval, seq)
) STRICT, WITHOUT ROWID;

-- approval: what an open call waits for, or, at position 0, the job as a whole. decided: there is something to judge.
ALTER TABLE wait ADD COLUMN approval TEXT;
ALTER TABLE wait ADD COLUMN decided INTEGER;
CREATE INDEX wait_approval ON wait (approval) WHERE approval IS NOT NULL;
