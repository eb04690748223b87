import type { Clock, Timer } from "../../../clock.ts";
import type { Trailer } from "../model/trailer.ts";
import type { Reply } from "./reply.ts";

/** What came first. */
export type Answer =
  | { readonly kind: "line"; readonly line: Trailer; readonly hasRest: boolean }
  /** The runner did not say how the command ended. */
  | { readonly kind: "silent"; readonly why: "cancelled" | "timeout" | "lost" };

/** How long a command is waited for, and how it is ended. */
export interface Patience {
  readonly clock: Clock;
  /** The command's; the runner keeps it, and this side looks after it a little later. */
  readonly timeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly signal: AbortSignal;
  /** This side has not taken the bytes that came: the trailer may stand behind them. */
  readonly isHeldUp: () => boolean;
  /** Tells the runner to end the command. */
  readonly cancel: () => void;
}

/**
 * Waits for the end of a command: for the runner's word, the end of its streams, or until a runner that should have spoken
 * has not.
 */
export function firstOf(reply: Promise<Reply<Trailer>>, patience: Patience): Promise<Answer> {
  const { clock, timeoutMs, answerTimeoutMs, signal, isHeldUp, cancel } = patience;
  return new Promise((resolve) => {
    let timer: Timer;
    let why: "cancelled" | "timeout" = "timeout";
    const giveUp = (): void => {
      if (isHeldUp()) wait(answerTimeoutMs);
      else settle({ kind: "silent", why });
    };
    const wait = (delayMs: number): void => {
      timer = clock.after(delayMs, giveUp);
    };
    const onAbort = (): void => {
      why = "cancelled";
      cancel();
      timer.cancel();
      wait(answerTimeoutMs);
    };
    const settle = (answer: Answer): void => {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      resolve(answer);
    };
    wait(timeoutMs + answerTimeoutMs);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    void reply.then((came) => {
      if (came.kind === "line") settle(came);
      else settle({ kind: "silent", why: signal.aborted ? "cancelled" : "lost" });
    });
  });
}
