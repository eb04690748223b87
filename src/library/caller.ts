import { userInfo } from "node:os";
import { type Actor, formatActor, parseActor, strictest, tighten, type WrittenActor } from "../policy/actor.ts";

/** What says who calls. */
export interface CallerFacts {
  /** True where standard output is a terminal: somebody sits in front of it. */
  readonly isTerminal: boolean;
  readonly osUser: string;
  /** `WINDLASS_ACTOR`. */
  readonly environment: string | undefined;
  /** What the program itself says. */
  readonly asked: string | WrittenActor | undefined;
}

/**
 * Who a client's calls are recorded as: the person at the terminal, else the account that runs unattended; made stricter by
 * the environment and by what the program says, never freer.
 *
 * @throws AppError `USAGE` for an actor that is misspelt, or that the program asks for and is not stricter.
 */
export function callerOf({ isTerminal, osUser, environment, asked }: CallerFacts): Actor {
  const found: Actor = { kind: isTerminal ? "person" : "unattended", name: osUser, via: "library" };
  const base =
    environment === undefined ? found : strictest<Actor>(found, { ...parseActor(environment), via: "library" });
  if (asked === undefined) return base;
  return tighten(base, parseActor(typeof asked === "string" ? asked : formatActor(asked)));
}

/** The name of the account that this process runs as; its number where the system has no name for it. */
export function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
