import { type Clock, pause } from "../../clock.ts";
import type { AlohaClient, Busy } from "./client.ts";
import type { LogFollower } from "./log-follower.ts";
import type { LogEvidence } from "./model/log-evidence.ts";

/** What a run is watched by. */
export interface WatchedRun {
  readonly client: AlohaClient;
  /** Absent: the log could not be read before the run, so nothing in it can be told to be the run's. */
  readonly log: LogFollower | undefined;
  readonly clock: Clock;
  /** Told of a log that cannot be read, once until it can be again. */
  readonly onLogProblem: (error: unknown) => void;
}

/** How a watch ended. */
export type WatchEnd =
  | { readonly kind: "over"; readonly by: "log" | "busy_probe" }
  /** Neither the client nor its log gave a sign of life for a minute. */
  | { readonly kind: "lost" }
  /** The signal fired; the run goes on. */
  | { readonly kind: "interrupted" };

/** A step takes a second and the model's time. */
export const LOOK_MS = 1_500;
/** Looks without a word in the log before the client is asked: the question leaves a line in its log. */
const QUIET_LOOKS = 15;
/** Idle once may be a thread that has not begun. */
const IDLE_LOOKS = 3;
const LOST_MS = 60_000;
/** How long a log that cannot be read is asked for its last lines when the run is over. */
const LATE_LOG_MS = 60_000;

/** Watches a run: by the log first, and by the client's busy answer where the log is silent. */
export class RunWatch {
  readonly #run: WatchedRun;
  #signs = 0;
  #quietLooks = 0;
  #idleLooks = 0;
  #lostSinceMono: number | undefined;
  #overSinceMono: number | undefined;
  #logFails = false;
  #logIsReadable = false;
  #busy: Busy = "unsupported";

  constructor(run: WatchedRun) {
    this.#run = run;
  }

  get evidence(): LogEvidence | undefined {
    return this.#run.log?.evidence;
  }

  /** The last look could read the log. */
  get logIsReadable(): boolean {
    return this.#logIsReadable;
  }

  /** What the client said when it was asked last. */
  get busy(): Busy {
    return this.#busy;
  }

  get #finished(): boolean {
    return this.evidence?.finished === true;
  }

  /** Looks again and again until the run is over. `onLook` hears of every look. */
  async untilOver(signal: AbortSignal, onLook: () => void = () => {}): Promise<WatchEnd> {
    while (!signal.aborted) {
      const end = await this.look(signal);
      onLook();
      if (end !== undefined) return end;
      await pause(this.#run.clock, LOOK_MS, signal);
    }
    return { kind: "interrupted" };
  }

  /** One look; `undefined` while nothing says that the run is over. */
  async look(signal: AbortSignal): Promise<WatchEnd | undefined> {
    await this.#readLog(signal);
    if (this.#finished) return { kind: "over", by: "log" };
    if (signal.aborted || !this.#mustAsk()) return undefined;
    const busy = await this.#run.client.isBusy(signal);
    if (signal.aborted) return undefined;
    this.#busy = busy;
    this.#idleLooks = busy === "idle" ? this.#idleLooks + 1 : 0;
    if (this.#isOver()) return { kind: "over", by: "busy_probe" };
    return this.#isLost(busy) ? { kind: "lost" } : undefined;
  }

  async #readLog(signal: AbortSignal): Promise<void> {
    const was = this.#logIsReadable;
    try {
      this.#logIsReadable = (await this.#run.log?.look({ signal })) === true;
      this.#logFails = false;
    } catch (error) {
      this.#logIsReadable = false;
      this.#logFails = true;
      if (was && !signal.aborted) this.#run.onLogProblem(error);
    }
    const signs = this.evidence?.signs ?? 0;
    this.#quietLooks = signs > this.#signs ? 0 : this.#quietLooks + 1;
    if (signs > this.#signs) this.#lostSinceMono = undefined;
    this.#signs = signs;
  }

  #mustAsk(): boolean {
    const speaks = this.#logIsReadable && this.evidence?.started === true && this.#quietLooks < QUIET_LOOKS;
    return !speaks || this.#idleLooks > 0 || this.#lostSinceMono !== undefined;
  }

  /** The client says so; how the run ended only the log can say, so a log that fails for a moment is waited for. */
  #isOver(): boolean {
    if (this.#idleLooks < IDLE_LOOKS) return false;
    const nowMono = this.#run.clock.monotonic();
    this.#overSinceMono ??= nowMono;
    return !this.#logFails || nowMono - this.#overSinceMono >= LATE_LOG_MS;
  }

  /** @returns true when nobody has answered for too long. */
  #isLost(busy: Busy): boolean {
    const nowMono = this.#run.clock.monotonic();
    if (busy === "lost") this.#lostSinceMono ??= nowMono;
    else this.#lostSinceMono = undefined;
    return this.#lostSinceMono !== undefined && nowMono - this.#lostSinceMono >= LOST_MS;
  }
}
