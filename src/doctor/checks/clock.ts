import { acceptedAtMs } from "../../backend/embedded/rows/job-number.ts";
import { formatDuration } from "../../duration.ts";
import type { CheckContext } from "../check.ts";
import { type Finding, fail, ok, warn } from "../model/finding.ts";

/** A clock before this cannot be right: job numbers begin there. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
/** A little ahead is possible: numbers go on counting when thousands of jobs come in one millisecond. */
const AHEAD_MS = 2_000;
const JUMP_MS = 1_000;

/** Due times and schedules go by the wall clock; leases and time-outs do not. */
export function clock({ clock, began, db }: CheckContext): Finding {
  const now = clock.now();
  const jumpMs = Math.round(now - began.wallMs - (clock.monotonic() - began.monoMs));
  const newest = newestJobMs(db);
  const facts = {
    now: new Date(now).toISOString(),
    jump_ms: jumpMs,
    newest_job_at: newest === undefined ? null : new Date(newest).toISOString(),
  };
  if (now < EARLIEST_MS)
    return fail(`the clock says ${facts.now}`, "set the clock (`timedatectl set-ntp true`), then start again", facts);
  if (newest !== undefined && newest > now + AHEAD_MS)
    return warn(
      `the newest job was accepted ${formatDuration(newest - now)} after the time that the clock shows: it was set back`,
      "set the clock; what was due by the old one waits until then, and nothing fires twice",
      facts,
    );
  if (Math.abs(jumpMs) > JUMP_MS)
    return warn(
      `the clock jumped by ${formatDuration(Math.abs(jumpMs))} while the doctor looked`,
      "see what sets it (`timedatectl`, the host of a virtual machine)",
      facts,
    );
  return ok(`${facts.now}, and it runs evenly`, facts);
}

function newestJobMs(db: CheckContext["db"]): number | undefined {
  try {
    const id = db?.get<{ id: number | null }>("SELECT max(id) AS id FROM job")?.id;
    return id == null ? undefined : acceptedAtMs(id);
  } catch {
    // A database that cannot be read is another check's finding.
    return undefined;
  }
}
