import { AppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import { nearest } from "../job/nearest.ts";
import type { Actor } from "../policy/actor.ts";
import type { Windlass } from "../windlass.ts";

/** What the verbs of a client stand on. */
export interface ClientParts {
  readonly windlass: Windlass;
  readonly actor: Actor;
  /** Fires when the client closes. */
  readonly closing: AbortSignal;
}

/**
 * The name of a job type that was given as a value or by name. A value must be what this client has loaded, because a
 * worker of the same name might do something else with the input.
 *
 * @throws AppError `UNKNOWN_JOB_TYPE`, `INVALID_DEFINITION`, `INVALID_INPUT`.
 */
export function nameOfType({ windlass }: ClientParts, type: JobType | string): string {
  if (typeof type === "string") return type;
  if (typeof type !== "object" || type === null || typeof type.name !== "string")
    throw new AppError("INVALID_INPUT", `a job type is what defineJob returned, or its name; this is ${typeof type}`);
  const loaded = windlass.types.get(type.name);
  if (loaded === undefined)
    throw new AppError(
      "UNKNOWN_JOB_TYPE",
      `job type ${type.name} is not loaded; open the client with it: openWindlass({ jobs: [...] })`,
    );
  // Built-in types are bound to the configuration when they are loaded, so the value is another one; its schema is not.
  if (loaded.input !== type.input)
    throw new AppError(
      "INVALID_DEFINITION",
      `the client was opened with another job type named ${type.name}; names are unique`,
    );
  return type.name;
}

/** A type that must be known without looking into the database. */
export function loadedName(parts: ClientParts, type: JobType | string): string {
  const name = nameOfType(parts, type);
  const { types } = parts.windlass;
  if (types.has(name)) return name;
  const near = nearest(name, [...types.keys()], 3);
  throw new AppError(
    "UNKNOWN_JOB_TYPE",
    `job type ${JSON.stringify(name)} is not loaded; open the client with it: openWindlass({ jobs: [...] })${near.length === 0 ? "" : `, or did you mean ${near.join(" or ")}?`}`,
  );
}

/**
 * Asks the policy about what is no submit.
 *
 * @throws AppError `POLICY_DENIED` with the line that would allow it.
 */
export function askPolicy(
  { windlass, actor }: ClientParts,
  operation: string,
  access: "read" | "write" = "write",
): Promise<void> {
  return windlass.gate.ask(actor, { operation, access, labels: {} });
}
