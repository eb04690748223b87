import type { Flag } from "./flag.ts";

/** Flags of every command, before or after its name. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  { name: "db", kind: "text", placeholder: "PATH", description: "The database file." },
  {
    name: "actor",
    kind: "text",
    placeholder: "KIND:NAME",
    description: "Who asks; it can only make the caller stricter.",
  },
  { name: "policy", kind: "text", placeholder: "PATH", description: "The file of rules that says who may do what." },
  { name: "json", kind: "boolean", description: "Prints one JSON value on standard output and nothing else there." },
  {
    name: "quiet",
    kind: "boolean",
    description: "Logs warnings and errors only; `run` does not show the job's output.",
  },
  { name: "no-color", kind: "boolean", description: "No colour on a terminal.", environment: ["NO_COLOR"] },
  { name: "help", kind: "boolean", short: "h", description: "Shows this and exits." },
];

/** Flags that stand only before the command's name. */
export const LEADING_FLAGS: readonly Flag[] = [
  {
    name: "config",
    kind: "text",
    placeholder: "PATH",
    description: "The config file.",
    default: ".windlass/config.yaml of the project folder, if there",
    environment: ["WINDLASS_CONFIG"],
  },
  { name: "version", kind: "boolean", description: "Prints the version and exits." },
];

/** Global flags as they were given. */
export interface GlobalValues {
  readonly config: string | undefined;
  readonly db: string | undefined;
  readonly actor: string | undefined;
  readonly policy: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noColour: boolean;
}

/** Reads the global flags; those behind the command's name win. */
export function globalValues(...given: readonly ReadonlyMap<string, readonly (string | boolean)[]>[]): GlobalValues {
  const last = (name: string): string | boolean | undefined =>
    given.map((values) => values.get(name)?.at(-1)).findLast((value) => value !== undefined);
  const text = (name: string): string | undefined => {
    const value = last(name);
    return typeof value === "string" ? value : undefined;
  };
  return {
    config: text("config"),
    db: text("db"),
    actor: text("actor"),
    policy: text("policy"),
    json: last("json") === true,
    quiet: last("quiet") === true,
    noColour: last("no-color") === true,
  };
}
