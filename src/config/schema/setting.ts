import { AppError } from "../../error.ts";
import { maskRefused } from "./mask.ts";

/** Where the value of a setting came from. */
export type Origin =
  | { readonly kind: "default" }
  /** Searched for, because nothing said it: the database, the policy. */
  | { readonly kind: "found"; readonly where: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "environment"; readonly name: string }
  /** A flag of the command, or an option of the library's call (then `name` is the key). */
  | { readonly kind: "flag"; readonly name: string };

/** Writes an origin as `config show --origin` prints it. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "found":
      return `found in ${origin.where}`;
    case "file":
      return `file ${origin.path}`;
    case "environment":
      return `environment ${origin.name}`;
    case "flag":
      return origin.name.startsWith("--") ? `flag ${origin.name}` : "the call";
  }
}

/** What a parser must know beside the value itself. */
export interface Place {
  readonly key: string;
  readonly origin: Origin;
  /** Relative paths start here. */
  readonly folder: string;
  /** `~/` stands for it. */
  readonly home: string;
  /** True when a refusal must not repeat the value. */
  readonly secret: boolean;
}

/** What a setting says about itself, whatever its kind. */
export interface Facts {
  /** One sentence: what it does for the user. */
  readonly description: string;
  /** The environment name after the prefix, where it is not the key in capitals with `_`. */
  readonly environment?: string;
  /** Other keys that mean this setting; their environment names follow from them. */
  readonly aliases?: readonly string[];
  /** The flag that sets it, such as `--db`. */
  readonly flag?: string;
  /** True when the flag adds to what file and environment say. */
  readonly flagAdds?: true;
  /** Never shown; in a file only as `${NAME}`. */
  readonly secret?: true;
  /** Refused in a file. */
  readonly environmentOnly?: true;
  /** A foreign variable (its whole name) that is read when nothing of ours says it. */
  readonly foreignEnvironment?: string;
  /** Says the default where the value alone does not. */
  readonly defaultText?: string;
  /** What a file could say, where there is no default to show. */
  readonly example?: string | number;
}

/** What the kind of a setting (a duration, a path) adds to its facts. */
export interface Kind<T, Unit extends string> {
  readonly default: T;
  /** What is allowed, as the documentation says it: `1s to 5m`. */
  readonly rule: string;
  /** `ms` for durations: their field in the configuration ends in `Ms`. */
  readonly unit: Unit;
  /** True where an empty text is itself a value; elsewhere an empty variable is the same as an unset one. */
  readonly takesEmpty?: boolean;
  /** A reason against a value as it stands in a file, before `${NAME}` is replaced. */
  refuseInFile?(raw: unknown): string | undefined;
  /** @throws AppError `CONFIG` */
  parse(value: unknown, place: Place): T;
  /** The inverse of `parse`. */
  format(value: T): string;
}

/** One row of the schema. */
export type Setting<T = unknown, Unit extends string = string> = Facts & Kind<T, Unit>;

/** Makes a row of the schema. */
export function setting<T, Unit extends string>(facts: Facts, kind: Kind<T, Unit>): Setting<T, Unit> {
  return { ...facts, ...kind };
}

/**
 * Refuses a value: `<field> <reason>, not <value> (<origin>)`.
 *
 * @throws AppError `CONFIG`, always.
 */
export function refuse(place: Place, reason: string, value?: unknown): never {
  const shown = value === undefined || place.secret ? "" : `, not ${show(value)}`;
  throw configError(place.key, `${reason}${shown} (${formatOrigin(place.origin)})`);
}

/** An error of configuration; `subject` is the path of a file or the key of a setting. */
export function configError(subject: string, reason: string, cause?: unknown): AppError {
  const because = cause === undefined ? {} : { cause };
  return new AppError("CONFIG", `${subject} ${reason}`, { details: { subject, reason }, ...because });
}

/** The line that a command prints for a `CONFIG` error before it exits with 2. */
export function configErrorText(error: Pick<AppError, "message">): string {
  return `config error: ${error.message}`;
}

function show(value: unknown): string {
  const text = maskRefused(JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
