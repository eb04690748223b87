import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import type { Machines } from "../host/machines.ts";

/** What a built-in job type's code stands on. */
export interface BindParts {
  readonly config: Config;
  readonly clock: Clock;
  /** The Windows machines; the worker that they were made for closes them. */
  readonly machines: Machines;
  /** Of the worker; a program gets those variables that `exec.env` names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}
