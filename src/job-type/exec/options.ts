import type { MachineIdentity } from "../../attempt/handlers.ts";
import type { Clock } from "../../clock.ts";

/** What `exec` needs of the worker. */
export interface ExecOptions {
  readonly clock: Clock;
  /** This machine, as effects are recorded with it. */
  readonly machine: MachineIdentity;
  /** The variables that every program gets: those of `exec.env`, with the worker's values. */
  readonly environment: Readonly<Record<string, string>>;
  /** `exec.uid`: the user to run programs as. Needs root. */
  readonly uid?: number | undefined;
  /** `worker.kill_grace`: from TERM to KILL. */
  readonly killGraceMs: number;
  /** `output.kept_bytes`, for each of the two streams. */
  readonly keptBytes: number;
  /** How often output is held at its limit, and an adopted program is looked at where its end is not told. */
  readonly tickMs: number;
}
