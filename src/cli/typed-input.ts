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
  if (type === undefined) return [INPUT_FLAG];
  const taken = new Set([...known, ...LEADING_FLAGS, INPUT_FLAG].map(({ name }) => name));
  const own = flagsOfSchema(await inputSchemaOf(session, type)).filter(({ name }) => !taken.has(name));
  // What the type requires is its schema's to say, for --input-json may say it too.
  return [INPUT_FLAG, ...own.map((flag): Flag => ({ ...flag, required: false, ofType: true }))];
}

/**
 * The input of a job: the flags of its type and what follows `--`, or the whole of it as JSON.
 *
 * @throws AppError `USAGE` when it is said twice or `--` stands where the type has no argv.
 */
export function readTypedInput({ command, flags, values, rest }: Omit<Call, "session">): unknown {
  const own = flags.filter(({ ofType, name }) => ofType === true && values.has(name));
  const given: Record<string, unknown> = Object.fromEntries(own.map(({ field, name }) => [field, values.get(name)]));
  if (rest !== undefined) {
    const takesArgv = flags.some(({ ofType, field, kind }) => ofType === true && field === "argv" && kind === "texts");
    if (!takesArgv) throw new AppError("USAGE", `${command}: this job type has no argv, so nothing may follow --`);
    if (given["argv"] !== undefined)
      throw new AppError("USAGE", `${command}: give argv by --argv or behind --, not both`);
    given["argv"] = rest;
  }
  if (!values.has(INPUT_FLAG.name)) return given;
  if (Object.keys(given).length > 0)
    throw new AppError("USAGE", `${command}: give the input as flags or as --input-json, not both`);
  return values.get(INPUT_FLAG.name);
}

async function inputSchemaOf(session: Session, type: string): Promise<FieldSchema> {
  const [{ builtInTypes }, { describeType }, { config }] = await Promise.all([
    import("../job-type/registry.ts"),
    import("../backend/published-type.ts"),
    session.config(),
  ]);
  const loaded = [...builtInTypes(config), ...(await session.ownTypes())].find(({ name }) => name === type);
  if (loaded !== undefined) return describeType(loaded).inputSchema;
  const { backend, submit } = await session.open("write", true);
  await submit.load(type);
  const published = (await backend.types()).find(({ name }) => name === type);
  return published?.inputSchema ?? {};
}
