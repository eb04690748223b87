import { type Actor, formatActor, parseActor, strictest, tighten, type WrittenActor } from "./actor.ts";

/** What says who calls. */
export interface CallerFacts {
  /** A person sits at the other end. */
  readonly onTerminal: boolean;
  /** The account that this process runs as. */
  readonly user: string;
  /** `WINDLASS_ACTOR`. */
  readonly variable: string | undefined;
  /** What the call itself says, such as `--actor`. */
  readonly asked: string | WrittenActor | undefined;
  readonly via: Actor["via"];
}

/**
 * Who calls: a person on a terminal, else somebody unattended. `WINDLASS_ACTOR` is combined with that, because a program
 * that a job started did not choose its environment; what the call says then makes it stricter or is refused.
 *
 * @throws AppError `USAGE`
 */
export function callerOf({ onTerminal, user, variable, asked, via }: CallerFacts): Actor {
  const found: Actor = { kind: onTerminal ? "person" : "unattended", name: user, via };
  const base = variable === undefined ? found : strictest<Actor>(found, { ...parseActor(variable), via });
  if (asked === undefined) return base;
  return tighten(base, parseActor(typeof asked === "string" ? asked : formatActor(asked)));
}
