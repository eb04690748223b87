import type { JobState } from "../../../job/state.ts";
import type { Standing } from "./job-row.ts";

/** The state that a job's place means. A job that stands nowhere was removed while somebody looked. */
export function stateOfStanding(standing: Standing | undefined): JobState {
  if (standing === undefined) return "completed";
  switch (standing.kind) {
    case "ready":
    case "blocked":
      return "queued";
    case "delayed":
      // What a rate limit or another machine holds back is due already.
      return standing.reason === "due" || standing.reason === "retry" ? "scheduled" : "queued";
    case "waiting":
      return standing.woken === null ? "waiting" : "queued";
    case "leased":
      return "running";
    case "done":
      return standing.state;
  }
}
