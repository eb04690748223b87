import { type Clock, pause, withDeadline } from "../../clock.ts";
import type { AlohaClient } from "./client.ts";
import type { RunWatch } from "./run-watch.ts";

const PAUSE_MS = 500;
/** Time to say it at least once. */
const GRACE_MS_MIN = 500;
/** A thread that has not begun yet says "idle" to a stop and clears it when it begins. */
const IDLE_ANSWERS = 3;

/**
 * Stops a run and waits for its end. The stop is asked for again until the run is seen to be over: Aloha forgets one
 * that comes before its thread has begun, and hears one only between two steps, which may be a whole call of the model.
 *
 * @returns `unknown` when it may still be running after `graceMs`.
 */
export async function stopRun(
  watch: RunWatch,
  { client, clock, graceMs }: { readonly client: AlohaClient; readonly clock: Clock; readonly graceMs: number },
): Promise<"stopped" | "unknown"> {
  return withDeadline({ clock, timeoutMs: Math.max(graceMs, GRACE_MS_MIN) }, async (signal) => {
    for (let idleAnswers = 0; !signal.aborted; ) {
      // First, because the next run on the desktop is not ours to stop.
      const seen = await watch.look(signal);
      const over = seen?.kind === "over" || watch.evidence?.foreign === true;
      if (over || idleAnswers >= IDLE_ANSWERS) return "stopped";
      const answer = await client.stop(signal);
      idleAnswers = answer === "idle" ? idleAnswers + 1 : 0;
      await pause(clock, PAUSE_MS, signal);
    }
    return "unknown";
  });
}
