-- What the policy has to remember. actor: kind:name. digest: SHA-256 of the canonical input; policy: of the policy file that
-- refused it; NULL where there is none.
CREATE TABLE denial (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  operation TEXT NOT NULL,
  type TEXT,
  rule TEXT NOT NULL,
  digest TEXT,
  policy TEXT
) STRICT;

-- How often an actor used a limited rule, by minutes of Unix time.
CREATE TABLE policy_use (
  actor TEXT NOT NULL,
  rule TEXT NOT NULL,
  minute INTEGER NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY (actor, minute, rule)
) STRICT, WITHOUT ROWID;
