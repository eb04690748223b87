import { parseArgs } from "node:util";
import { AppError } from "../error.ts";
import { nearest } from "../job/nearest.ts";
import { type Flag, isRepeatable } from "./flag.ts";

/** What stands behind a command: flags by name as they were written, words, and what follows `--`. */
export interface Arguments {
  readonly values: ReadonlyMap<string, readonly (string | boolean)[]>;
  readonly words: readonly string[];
  /** `undefined` when there is no `--`. */
  readonly rest: readonly string[] | undefined;
}

/**
 * Splits arguments into flags, words and what follows `--`.
 *
 * @param command named in errors; empty before it is known.
 * @throws AppError `USAGE` for a flag that the table does not have, with the nearest names, a missing or idle value, and a
 * second value for a flag that takes one.
 */
export function readArguments(command: string, argv: readonly string[], flags: readonly Flag[]): Arguments {
  const values = new Map<string, (string | boolean)[]>();
  const words: string[] = [];
  let rest: string[] | undefined;
  for (const token of tokensOf(argv, flags)) {
    if (token.kind === "option-terminator") rest = [];
    else if (token.kind === "positional") (rest ?? words).push(token.value);
    else {
      const { flag, value } = readFlag(command, token, flags);
      // `--json --no-json`: who switches twice means the last.
      if (flag.kind === "boolean") values.set(flag.name, [value]);
      else values.set(flag.name, [...(values.get(flag.name) ?? []), value]);
    }
  }
  refuseSecondValues(command, values, flags);
  return { values, words, rest };
}

/**
 * Which of two values was meant nobody knows, and the wrong one may be another database.
 *
 * @throws AppError `USAGE`
 */
export function refuseSecondValues(command: string, values: Arguments["values"], flags: readonly Flag[]): void {
  const twice = flags.find(
    (flag) => flag.kind !== "boolean" && !isRepeatable(flag) && (values.get(flag.name)?.length ?? 0) > 1,
  );
  if (twice === undefined) return;
  throw new AppError("USAGE", `${inCommand(command)}--${twice.name} is given more than once; it takes one value`);
}

/** The first word that is no flag and no flag's value, as far as the known flags tell. */
export function firstWord(argv: readonly string[], flags: readonly Flag[]): string | undefined {
  for (const token of tokensOf(argv, flags)) {
    if (token.kind === "option-terminator") return undefined;
    if (token.kind === "positional") return token.value;
  }
  return undefined;
}

/** The values of known flags; everything else is passed over. For what must be known before all flags are. */
export function knownValues(argv: readonly string[], flags: readonly Flag[]): Arguments["values"] {
  const values = new Map<string, (string | boolean)[]>();
  for (const token of tokensOf(argv, flags)) {
    if (token.kind === "option-terminator") break;
    if (token.kind !== "option" || !flags.some(({ name }) => name === token.name)) continue;
    values.set(token.name, [...(values.get(token.name) ?? []), token.value ?? true]);
  }
  return values;
}

/** The text behind a flag, wherever it stands before `--`. */
export function textOf(argv: readonly string[], flags: readonly Flag[], name: string): string | undefined {
  let text: string | undefined;
  for (const token of tokensOf(argv, flags)) {
    if (token.kind === "option-terminator") break;
    if (token.kind === "option" && token.name === name) text = token.value;
  }
  return text;
}

function tokensOf(argv: readonly string[], flags: readonly Flag[]) {
  const options = Object.fromEntries(
    flags.flatMap(({ name, aliases = [], kind, short }) => {
      const type = kind === "boolean" ? ("boolean" as const) : ("string" as const);
      const main = [name, { type, ...(short === undefined ? {} : { short }) }] as const;
      return [main, ...aliases.map((alias) => [alias, { type }] as const)];
    }),
  );
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

type OptionToken = Extract<ReturnType<typeof tokensOf>[number], { kind: "option" }>;

function readFlag(
  command: string,
  { name, rawName, value, inlineValue }: OptionToken,
  flags: readonly Flag[],
): { flag: Flag; value: string | boolean } {
  const known = flags.find((flag) => flag.name === name || flag.aliases?.includes(name));
  const negated = known === undefined ? negatedFlag(name, flags) : undefined;
  const flag = known ?? negated;
  if (flag === undefined) throw unknownFlag(command, rawName, flags);
  if (flag.kind === "boolean") {
    if (value !== undefined) throw new AppError("USAGE", `${inCommand(command)}${rawName} takes no value`);
    return { flag, value: negated === undefined };
  }
  if (value === undefined) throw new AppError("USAGE", `${inCommand(command)}${rawName} needs a value`);
  if (inlineValue !== true && isSwallowed(value, flags)) {
    throw new AppError(
      "USAGE",
      `${inCommand(command)}${rawName} needs a value, and ${value} is a flag; write ${rawName}=${value} if it is meant`,
    );
  }
  return { flag, value };
}

function negatedFlag(name: string, flags: readonly Flag[]): Flag | undefined {
  if (!name.startsWith("no-")) return undefined;
  return flags.find((flag) => flag.kind === "boolean" && flag.name === name.slice(3));
}

/** `--db --json`: the value was forgotten. */
function isSwallowed(value: string, flags: readonly Flag[]): boolean {
  return value === "--" || (value.startsWith("--") && flags.some(({ name }) => value === `--${name}`));
}

function unknownFlag(command: string, rawName: string, flags: readonly Flag[]): AppError {
  if (rawName === "--config") {
    return new AppError(
      "USAGE",
      `${command}: --config stands only before the subcommand: windlass --config PATH ${command}`,
    );
  }
  const names = nearest(
    rawName.replace(/^-+/, ""),
    flags.map(({ name }) => name),
    3,
  ).map((name) => `--${name}`);
  const help = ["windlass", command, "--help"].filter((word) => word !== "").join(" ");
  const hint = names.length === 0 ? `\`${help}\` lists them` : `did you mean ${names.join(" or ")}?`;
  return new AppError("USAGE", `${inCommand(command)}there is no flag ${rawName}; ${hint}`);
}

function inCommand(command: string): string {
  return command === "" ? "" : `${command}: `;
}
