import { type Clock, pause } from "../../clock.ts";
import { LOOK_MS, type RunWatch } from "./run-watch.ts";

/** Whether a start that was not answered took place; `unknown`: nothing says so, and nothing says the contrary. */
export type FoundStart = "started" | "absent" | "unknown";

/** What arrived has begun to show in the log by then. */
const LOOKS = 4;

/** Looks whether a run began whose start was not answered, or whose worker died. Never starts anything. */
export async function findStart(
  watch: RunWatch,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<FoundStart> {
  for (let look = 1; !signal.aborted; look++) {
    await watch.look(signal);
    const begun = watch.evidence?.started === true && !watch.evidence.foreign;
    if (begun) return "started";
    // Nobody else's run was on a moment ago, so one that is on and leaves no line is ours.
    if (!watch.logIsReadable && watch.busy === "busy") return "started";
    if (look === LOOKS) break;
    await pause(clock, LOOK_MS, signal);
  }
  return tellsAll(watch) && !signal.aborted ? "absent" : "unknown";
}

/** True when a run of ours would stand in the log. */
function tellsAll({ logIsReadable, busy, evidence }: RunWatch): boolean {
  // Lines may be gone with the log's old page.
  if (!logIsReadable || evidence === undefined || evidence.turned) return false;
  // A log without a line while the client works is not that client's log.
  return busy === "idle" || evidence.foreign;
}
