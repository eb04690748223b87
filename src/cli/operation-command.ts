import { z } from "zod";
import { errorText, exitStatusOf } from "../error.ts";
import { callOpening, callOperation, type Operation, type Verdict } from "../operations/operation.ts";
import type { Call, Command, WordSpec } from "./command.ts";
import type { Flag } from "./flag.ts";
import { defaultLines, renderJson, renderLines } from "./render.ts";
import { type FieldSchema, flagsOfSchema } from "./schema-flags.ts";
import { readTypedInput, typeFlags } from "./typed-input.ts";

/** What a command does with its operation beside calling it once and printing the answer. */
export interface Overlay {
  /** Flags of the command line alone. */
  readonly flags?: readonly Flag[];
  /** Fields that the command line may leave out, because something else says them. */
  readonly optional?: readonly string[];
  run(call: Call, action: Action): Promise<number>;
}

/** An operation as a command has it at hand. */
export interface Action {
  readonly operation: Operation;
  /** What the flags say, by field. */
  readonly input: Readonly<Record<string, unknown>>;
  perform(input: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Prints an answer. @returns the exit status that it stands for. */
  finish(output: unknown): number;
}

/** Makes a command of an operation: a flag for each field of its input. */
export function commandOf(operation: Operation, overlay?: Overlay): Command {
  const fields = fieldFlags(operation);
  const typed = isTyped(operation);
  const shown = fields.filter(({ field }) => !(typed && field === "input"));
  const isOptional = ({ field = "" }: Flag): boolean => overlay?.optional?.includes(field) === true;
  const flags = [
    ...shown.map((flag) => (isOptional(flag) ? { ...flag, required: false } : flag)),
    ...(overlay?.flags ?? []),
  ];
  const settings = operation.loadsTypes === true ? ["jobs"] : [];
  return {
    name: operation.name.replace(".", " "),
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    flags,
    words: wordsOf(operation, fields),
    ...(typed ? { rest: "the argv of the job, where its type has one" } : {}),
    settings,
    ...(typed ? { moreFlags: (early) => typeFlags(early, flags) } : {}),
    async run(call) {
      const action = actionOf(operation, fields, call);
      if (overlay !== undefined) return overlay.run(call, action);
      return action.finish(await action.perform(action.input));
    },
  };
}

/** Operations that make jobs take the input of the type as flags of its own. */
function isTyped({ input }: Operation): boolean {
  return Object.hasOwn(input.shape, "type") && Object.hasOwn(input.shape, "input");
}

function fieldFlags(operation: Operation): readonly Flag[] {
  const schema = z.toJSONSchema(operation.input, { io: "input", unrepresentable: "any" }) as FieldSchema;
  return flagsOfSchema(schema).map((flag) => {
    const [name, ...aliases] = operation.flags?.[flag.field ?? ""] ?? [flag.name];
    return { ...flag, name: name ?? flag.name, aliases };
  });
}

function wordsOf({ positional = [] }: Operation, fields: readonly Flag[]): readonly WordSpec[] {
  return positional.flatMap((field) => {
    const flag = fields.find((one) => one.field === field);
    if (flag === undefined) return [];
    const { name, required = false, kind } = flag;
    return [{ name, flag: name, isRequired: required, isList: kind === "texts" }];
  });
}

function actionOf(operation: Operation, fields: readonly Flag[], call: Call): Action {
  const given = fields.filter(({ name }) => call.values.has(name));
  const input: Record<string, unknown> = Object.fromEntries(
    given.map(({ field, name }) => [field, call.values.get(name)]),
  );
  if (isTyped(operation)) input["input"] = readTypedInput(call);
  return {
    operation,
    input,
    perform: (fieldsGiven) => perform(operation, fieldsGiven, call),
    finish: (output) => printOutput(operation, output, call),
  };
}

/** Calls an operation with what it needs opened. */
export async function perform(
  operation: Operation,
  input: unknown,
  { session }: Pick<Call, "session">,
): Promise<unknown> {
  const { database, loadsTypes = false, asksItself = false } = operation;
  if (database === "none") return callOperation(operation, input, session.context() as never);
  return callOpening(operation, input, {
    context: session.context(),
    async open(parsed) {
      if (asksItself) await session.askAhead(operation.name, operation.jobs?.(parsed) ?? [], database);
      return session.contextWith(await session.open(database, loadsTypes));
    },
  });
}

/** A failing answer has `code` and `error`, as a failure without an answer; what it says itself of its error stays. */
export function withVerdict(output: unknown, verdict: Verdict | undefined): unknown {
  if (verdict === undefined || typeof output !== "object" || output === null) return output;
  const { error } = output as { readonly error?: unknown };
  return { ...output, code: verdict.code, error: typeof error === "string" ? error : errorText(verdict) };
}

/** Prints an answer. @returns the exit status that it stands for. */
export function printOutput(
  operation: Operation,
  output: unknown,
  { globals, terminal }: Pick<Call, "globals" | "terminal">,
): number {
  const verdict = operation.verdict?.(output);
  if (globals.json) terminal.out(renderJson(withVerdict(output, verdict), terminal));
  else terminal.out(renderLines(operation.lines?.(output) ?? defaultLines(output), terminal));
  return statusOf(operation, output);
}

/** The exit status that an answer stands for. */
export function statusOf(operation: Operation, output: unknown): number {
  const verdict = operation.verdict?.(output);
  return verdict === undefined ? 0 : exitStatusOf(verdict.code);
}
