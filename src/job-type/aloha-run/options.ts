import type { EffectContext, MachineIdentity } from "../../attempt/handlers.ts";
import type { Clock } from "../../clock.ts";
import type { AlohaClient } from "../../host/aloha/client.ts";
import type { LogMark, ReadLog } from "../../host/aloha/log-follower.ts";
import type { DesktopState } from "../../host/aloha/model/decide-desktop.ts";
import type { RunWatch } from "../../host/aloha/run-watch.ts";
import type { ScriptAnswer } from "../../host/powershell/ask-script.ts";
import type { AlohaRunInput } from "./aloha-run.ts";

/** What a PowerShell check came to. */
export type CheckAnswer = Pick<ScriptAnswer, "isYes" | "warning">;

/** A machine with Aloha, as far as a run needs it. */
export interface AlohaHost {
  readonly client: AlohaClient;
  /** Where the client asks for the next action, as seen from its own machine. */
  readonly actionUrl: string;
  /** Reads the file that the client's standard error goes to. */
  readonly readLog: ReadLog;
  /** @throws AppError when the machine cannot be reached. */
  readonly desktop: (options: { readonly signal: AbortSignal }) => Promise<DesktopState>;
  /** Runs PowerShell. @throws AppError when it could not be run to its end. */
  readonly check: (script: string, options: { readonly signal: AbortSignal }) => Promise<CheckAnswer>;
}

/** What the handler of `aloha.run` needs. */
export interface AlohaRunOptions {
  /** @throws AppError `UNKNOWN_HOST`, or `CONFIG` for a machine without Aloha. */
  readonly openHost: (name: string, ctx: Pick<EffectContext, "outsideTimeout" | "timeoutMs">) => AlohaHost;
  readonly machine: MachineIdentity;
  readonly clock: Clock;
  /** `worker.kill_grace`: how long a run that was told to stop is waited for. */
  readonly killGraceMs: number;
}

/** One attempt at a run, and what it stands on. */
export interface Preparation {
  readonly input: AlohaRunInput;
  readonly host: AlohaHost;
  readonly ctx: EffectContext;
  readonly clock: Clock;
}

/** A run that may be on. */
export interface BegunRun {
  readonly watch: RunWatch;
  readonly mark: LogMark | undefined;
  readonly postedAtMs: number;
  /** What Aloha answered to its start. */
  readonly answer?: string;
}
