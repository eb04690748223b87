import { formatDuration } from "../../../duration.ts";
import { type Finding, ok, warn } from "../../model/finding.ts";
import { type Answer, ASK_AGAIN, judgeNoAnswer } from "./answer.ts";

/** The machine's time, and ours before and after it was asked. */
export interface ClockFacts {
  readonly utcMs: number;
  readonly timeZone: string;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Beyond it what both sides write down no longer goes together, and certificates and logins begin to fail. */
const SKEW_MAX_MS = 5_000;

/** Both clocks. What the question itself took is not held against the machine. */
export function judgeClock(answer: Answer<ClockFacts>): Finding {
  if (answer.kind !== "said") return judgeNoAnswer(answer, ASK_AGAIN);
  const { utcMs, timeZone, beforeMs, afterMs } = answer.value;
  const doubtMs = Math.max(0, afterMs - beforeMs) / 2;
  const skewMs = Math.round(utcMs - (beforeMs + afterMs) / 2);
  const facts = { skew_ms: skewMs, doubt_ms: Math.round(doubtMs), time_zone: timeZone };
  const certainMs = Math.abs(skewMs) - doubtMs;
  // Whole seconds: the rest is noise.
  const skew = formatDuration(Math.round(Math.abs(skewMs) / 1_000) * 1_000);
  if (certainMs > SKEW_MAX_MS)
    return warn(
      `the machine's clock is ${skew} ${skewMs > 0 ? "ahead of" : "behind"} this one`,
      "`w32tm /resync` on the machine (`w32tm /query /status` says what it goes by), and `timedatectl` here",
      facts,
    );
  return ok(`${Math.abs(skewMs)} ms apart, ${timeZone}`, facts);
}
