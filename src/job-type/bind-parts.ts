import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";

/** What a built-in job type's code stands on. */
export interface BindParts {
  readonly config: Config;
  readonly clock: Clock;
  /** Of the worker; a program gets those variables that `exec.env` names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}
