import { z } from "zod";
import { AppError } from "../error.ts";

/** The kinds of actors from free to strict; the order is the rule. */
export const ACTOR_KINDS = ["person", "schedule", "job", "unattended", "agent"] as const;

/** What sort of party asks: a person at a terminal, a schedule, a job, a call without a terminal, an AI agent. */
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** The surfaces that a request can come through. */
export const ACTOR_VIAS = ["cli", "http", "mcp", "library"] as const;

const ActorName = z
  .string()
  .min(1, { error: "must not be empty" })
  .max(128, { error: "is longer than 128 characters" })
  .regex(/^[^\p{C}\p{Z}*?](?:[^\p{C}\p{Zl}\p{Zp}*?]*[^\p{C}\p{Z}*?])?$/u, {
    // A name with a star in it would turn the rule that allows it into one that allows everybody.
    error: "must not hold control characters, * or ?, or begin or end with a space",
  });

/** The shape of an actor at every border. */
export const Actor = z.strictObject({ kind: z.enum(ACTOR_KINDS), name: ActorName, via: z.enum(ACTOR_VIAS) }).readonly();

/**
 * Who asked. `name` is the OS user (`person`, `unattended`), the schedule, the job's id or the agent's own name; 1 to 128
 * characters. Stored with every job, schedule and approval.
 */
export type Actor = z.output<typeof Actor>;

/** An actor as it is written down: `kind:name`. How a request came in is not a thing to be claimed. */
export type WrittenActor = Pick<Actor, "kind" | "name">;

/** A number that grows with strictness: 0 for a person, 4 for an agent. */
export function strictnessOf(actor: Pick<Actor, "kind">): number {
  return ACTOR_KINDS.indexOf(actor.kind);
}

/**
 * The stricter of two actors; the first when they are equally strict. Children of a job and jobs of a schedule keep the
 * strictest of their ancestors, and `WINDLASS_ACTOR` is combined with the caller in the same way, because a
 * program that a job started did not choose its environment.
 */
export function strictest<A extends Pick<Actor, "kind">>(first: A, second: A): A {
  return strictnessOf(second) > strictnessOf(first) ? second : first;
}

/** Writes an actor as `--actor` and `WINDLASS_ACTOR` take it: `agent:codex`. */
export function formatActor(actor: WrittenActor): string {
  return `${actor.kind}:${actor.name}`;
}

/**
 * Reads `kind:name`, such as `agent:codex`.
 *
 * @throws AppError `USAGE` with the kinds that there are.
 */
export function parseActor(text: string): WrittenActor {
  const colon = text.indexOf(":");
  const kind = ACTOR_KINDS.find((known) => known === text.slice(0, Math.max(colon, 0)));
  if (kind === undefined) {
    throw new AppError(
      "USAGE",
      `actor ${JSON.stringify(text)}: write kind:name, such as agent:codex; kinds are ${ACTOR_KINDS.join(", ")}`,
    );
  }
  const name = ActorName.safeParse(text.slice(colon + 1));
  if (!name.success) {
    throw new AppError(
      "USAGE",
      `actor ${JSON.stringify(text)}: the name ${name.error.issues[0]?.message ?? "is wrong"}`,
    );
  }
  return { kind, name: name.data };
}

/**
 * Applies an actor that a caller asked for by `--actor`. It can only make the caller stricter; asking for what the caller
 * is already changes nothing. The way in stays the caller's.
 *
 * @throws AppError `USAGE` when it would be freer, or another one of the same kind.
 */
export function tighten(base: Actor, asked: WrittenActor): Actor {
  if (asked.kind === base.kind && asked.name === base.name) return base;
  if (strictnessOf(asked) > strictnessOf(base)) return { kind: asked.kind, name: asked.name, via: base.via };
  throw new AppError(
    "USAGE",
    `this call comes from ${formatActor(base)}; an explicit actor can only make it stricter, and ${formatActor(asked)} is not; leave it out or name a stricter kind (${ACTOR_KINDS.join(" < ")})`,
  );
}
