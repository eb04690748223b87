-- An event that many wait for is given to them in several commits, so that nobody waits long behind it.

-- The newest event when the wait was recorded: what came before was looked for then, and the wait is given later ones only.
ALTER TABLE wait ADD COLUMN after INTEGER NOT NULL DEFAULT 0;

-- given: jobs that were given it when it came. upto: the last of them while there may be more, 0 before the first; NULL: all were.
ALTER TABLE event ADD COLUMN given INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN upto INTEGER;
CREATE INDEX event_open ON event (name) WHERE upto IS NOT NULL;

-- Rows as they stand on disk get the new columns too: salvage reads them there.
UPDATE wait SET after = 0;
UPDATE event SET given = 0;
