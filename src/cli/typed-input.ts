import { AppError } from "../error.ts";
import type { Call, EarlyCall } from "./command.ts";
import type { Flag } from "./flag.ts";
import { GLOBAL_FLAGS, LEADING_FLAGS } from "./global-flags.ts";
import { firstWord, textOf } from "./read-arguments.ts";
import { type FieldSchema, flagsOfSchema } from "./schema-flags.ts";
import type { Session } from "./session.ts";
import { settingFlags } from "./settings-flags.ts";

/** The whole input as JSON, for any type. */
export const INPUT_FLAG: Flag = {
  name: "input-json",
  kind: "json",
  placeholder: "JSON",
  description: "The whole input as JSON; - reads standard input, @FILE a file.",
};

/**
 * The flags of the job type that was named, and `--input-json`. A field whose name is taken by a flag of the command is
 * left to `--input-json`.
 *
 * @param named whether the type may also stand as the first word.
 * @throws AppError `UNKNOWN_JOB_TYPE`
 */
export async function typeFlags(
  { session, argv }: EarlyCall,
  commandFlags: readonly Flag[],
  named: "flag" | "word" = "flag",
): Promise<readonly Flag[]> {
  const known = [...GLOBAL_FLAGS, ...commandFlags, ...settingFlags(["jobs"])];
  const type = textOf(argv, known, "type") ?? (named === "word" ? firstWord(argv, known) : undefined);
  return type === undefined ? [INPUT_FLAG] : flagsOfType(session, type, commandFlags);
}

/**
 * The flags of one job type, and `--input-json`.
 *
 * @throws AppError `UNKNOWN_JOB_TYPE`
 */
export async function flagsOfType(
  session: Session,
  type: string,
  commandFlags: readonly Flag[],
): Promise<readonly Flag[]> {
  const known = [...GLOBAL_FLAGS, ...commandFlags, ...settingFlags(["jobs"]), ...LEADING_FLAGS, INPUT_FLAG];
  const taken = new Set(known.map(({ name }) => name));
  const own = flagsOfSchema(await inputSchemaOf(session, type)).filter(({ name }) => !taken.has(name));
  // What the type requires is its schema's to say, for --input-json may say it too.
  return [INPUT_FLAG, ...own.map((flag): Flag => ({ ...flag, required: false, ofType: true }))];
}

/**
 * The input of a job: the flags of its type and what follows `--`, or the whole of it as JSON.
 *
 * @throws AppError `USAGE` when it is said twice or `--` stands where the type has no command line.
 */
export function readTypedInput(call: Omit<Call, "session">): unknown {
  const { command, flags, values } = call;
  const own = flags.filter(({ ofType, part, name }) => ofType === true && part === undefined && values.has(name));
  const given: Record<string, unknown> = Object.fromEntries(own.map(({ field, name }) => [field, values.get(name)]));
  Object.assign(given, readCommandLine(call));
  Object.assign(given, readRest(call, given));
  if (!values.has(INPUT_FLAG.name)) return given;
  if (Object.keys(given).length > 0)
    throw new AppError("USAGE", `${command}: give the input as flags or as --input-json, not both`);
  return values.get(INPUT_FLAG.name);
}

/** What the two flags of a command line say. */
function readCommandLine({ command, flags, values }: Omit<Call, "session">): Record<string, unknown> {
  const first = flags.find(({ part }) => part === "first");
  const further = flags.find(({ part }) => part === "further");
  if (first?.field === undefined || further === undefined) return {};
  const args = values.get(further.name) as readonly string[] | undefined;
  if (!values.has(first.name)) {
    if (args === undefined) return {};
    throw new AppError("USAGE", `${command}: --${further.name} is an argument of --${first.name}, which is missing`);
  }
  const program = values.get(first.name);
  return { [first.field]: args === undefined ? program : [program, ...args] };
}

/** What follows `--`: an argv; where a line will do as well, one word is a line. */
function readRest(
  { command, flags, rest }: Omit<Call, "session">,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (rest === undefined) return {};
  const line = flags.find(({ ofType, part }) => ofType === true && part === "first");
  const argv = flags.find(({ ofType, field, kind }) => ofType === true && field === "argv" && kind === "texts");
  const { field, name } = line ?? argv ?? {};
  if (field === undefined)
    throw new AppError("USAGE", `${command}: this job type has no argv, so nothing may follow --`);
  if (given[field] !== undefined)
    throw new AppError("USAGE", `${command}: give ${field} by --${name} or behind --, not both`);
  return { [field]: line !== undefined && rest.length === 1 ? rest[0] : rest };
}

async function inputSchemaOf(session: Session, type: string): Promise<FieldSchema> {
  const [{ builtInTypes }, { describeType }, { config }] = await Promise.all([
    import("../job-type/registry.ts"),
    import("../backend/published-type.ts"),
    session.config(),
  ]);
  const loaded = [...builtInTypes(config), ...(await session.ownTypes())].find(({ name }) => name === type);
  if (loaded !== undefined) return describeType(loaded).inputSchema;
  await session.askAhead("jobs.enqueue", [{ type }], "write");
  const { backend, submit } = await session.open("write", true);
  await submit.load(type);
  const published = (await backend.types()).find(({ name }) => name === type);
  return published?.inputSchema ?? {};
}
