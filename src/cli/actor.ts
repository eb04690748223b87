import { userInfo } from "node:os";
import { lookUp } from "../config/sources/environment.ts";
import { type Actor, parseActor, strictest, tighten } from "../policy/actor.ts";

/** What says who calls. */
export interface CallerFacts {
  /** A person sits at the other end of standard input or output. */
  readonly onTerminal: boolean;
  readonly user: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--actor`. */
  readonly asked: string | undefined;
}

/**
 * Who calls: a person on a terminal, else somebody unattended. `WINDLASS_ACTOR` is combined with that, because a program
 * that a job started did not choose its environment; `--actor` then makes it stricter or is refused.
 *
 * @throws AppError `USAGE`
 */
export function callerOf({ onTerminal, user, environment, asked }: CallerFacts): Actor {
  const found: Actor = { kind: onTerminal ? "person" : "unattended", name: user, via: "cli" };
  const variable = lookUp(environment, ["ACTOR"], false);
  const base = variable === undefined ? found : strictest<Actor>(found, { ...parseActor(variable.value), via: "cli" });
  return asked === undefined ? base : tighten(base, parseActor(asked));
}

/** The user of this process; its number where it has no name, as in many containers. */
export function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
