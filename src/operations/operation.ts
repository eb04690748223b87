import type { z } from "zod";
import type { Backend } from "../backend/backend.ts";
import type { PolicyGate } from "../backend/policy-gate.ts";
import type { Submit } from "../backend/submit.ts";
import type { Clock } from "../clock.ts";
import type { Config, LoadedConfig } from "../config/config.ts";
import { AppError, type ErrorCode, isAppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import { sayIssue } from "../job/say-issue.ts";
import type { Pairs } from "../logfmt.ts";
import type { Actor } from "../policy/actor.ts";

/** Which rights an operation needs on the database; `none`: it opens it itself, or needs none. */
export type DatabaseUse = "none" | "read" | "write" | "migrate";

/** What every operation receives. */
export interface CallContext {
  readonly actor: Actor;
  readonly clock: Clock;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Relative paths of the input start here. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Loads the configuration once. An operation with a database finds it in `windlass.config`. */
  loadConfig(): Promise<LoadedConfig>;
  /** What an operation does, by its name; `undefined` for one that there is not. */
  accessOf(operation: string): Promise<Operation["access"] | undefined>;
  /** Where the policy is asked. @throws AppError `CONFIG` when there is a policy that cannot be read or is wrong. */
  gate(): Promise<PolicyGate>;
}

/** The opened parts that an operation on the database stands on. */
export interface OperationParts {
  readonly config: Config;
  readonly backend: Backend;
  readonly submit: Submit;
  /** The job types that this process has loaded. */
  readonly types: ReadonlyMap<string, JobType>;
}

/** What an operation receives whose `database` is not `none`. */
export interface DatabaseContext extends CallContext {
  readonly windlass: OperationParts;
}

/** What an answer that was given means, where it is no success. */
export type Verdict = Pick<AppError, "code" | "message">;

/** The context that goes with a use of the database. */
export type ContextFor<Use extends DatabaseUse> = Use extends "none" ? CallContext : DatabaseContext;

/**
 * One action that a user can take, defined once. Surfaces (CLI, HTTP, MCP) render it and hold no rule of the product.
 * Fields of input and output are snake_case, because they cross a border.
 */
export interface Operation<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodType = z.ZodType,
  Use extends DatabaseUse = DatabaseUse,
> {
  /** Noun and verb, such as `jobs.enqueue`; also the words of the command. */
  readonly name: string;
  /** One sentence, imperative, with a full stop; the registry repeats it. */
  readonly summary: string;
  /** Further sentences for the help. */
  readonly description?: string;
  /** Whether it changes anything; the policy is asked with it. */
  readonly access: "read" | "write";
  readonly input: Input;
  readonly output: Output;
  /** The codes that it throws or gives as a verdict, beside those of opening the database. */
  readonly errors: readonly ErrorCode[];
  readonly database: Use;
  /** Fields that a command line gives without their names, in this order; a list takes all that follow. */
  readonly positional?: readonly string[];
  /** What the flags of a field are called, where that is not its own name; the first is shown. */
  readonly flags?: Readonly<Record<string, readonly string[]>>;
  /** True where the user's own job types are needed (configuration `jobs`, `--jobs`). */
  readonly loadsTypes?: boolean;
  /** True where the submit function asks the policy, with the job's own facts; and where there is nothing to ask about. */
  readonly asksItself?: boolean;
  /** True where it helps to find what is wrong with the configuration: while the policy is wrong the built-in rules hold for it. */
  readonly diagnoses?: boolean;
  /** The error that an answer stands for, though it was given: it decides about the exit status. */
  verdict?(output: z.output<Output>): Verdict | undefined;
  /** The answer as lines of `key=value`. Default: one line of all that is not null. */
  lines?(output: z.output<Output>): readonly Pairs[];
  /** Does it. The input was read by its schema, and the policy was asked. */
  run(input: z.output<Input>, context: ContextFor<Use>): Promise<z.output<Output>>;
}

/** Declares an operation. */
export function defineOperation<Input extends z.ZodObject, Output extends z.ZodType, const Use extends DatabaseUse>(
  operation: Operation<Input, Output, Use>,
): Operation<Input, Output, Use> {
  return Object.freeze(operation);
}

/**
 * Runs an operation for an actor: reads the input, asks the policy, acts.
 *
 * @param context holds `windlass` unless the operation's `database` is `none`.
 * @throws AppError `USAGE` or `INVALID_ID` naming the field, `POLICY_DENIED`, and what the operation throws.
 */
export async function callOperation<Input extends z.ZodObject, Output extends z.ZodType, Use extends DatabaseUse>(
  operation: Operation<Input, Output, Use>,
  input: unknown,
  context: ContextFor<Use>,
): Promise<z.output<Output>> {
  const parsed = readInput(operation, input);
  if (operation.asksItself !== true) await askPolicy(operation, context);
  return operation.run(parsed, context);
}

/**
 * Reads the input of an operation.
 *
 * @throws AppError `USAGE` or `INVALID_ID` naming the field.
 */
export function readInput<Input extends z.ZodObject>(
  operation: Pick<Operation<Input>, "name" | "input">,
  input: unknown,
): z.output<Input> {
  const parsed = operation.input.safeParse(input, { error: sayIssue, reportInput: true });
  if (!parsed.success) throw wrongInput(operation.name, parsed.error);
  return parsed.data;
}

/** Fields whose values are ids; a wrong one has its own code. */
const ID_FIELDS: readonly PropertyKey[] = ["id", "ids"];

function wrongInput(name: string, error: z.ZodError): AppError {
  const issues = error.issues.slice(0, 5).map(sentenceOf);
  const [field] = error.issues[0]?.path ?? [];
  const isId = field !== undefined && ID_FIELDS.includes(field);
  return new AppError(isId ? "INVALID_ID" : "USAGE", `${name.replace(".", " ")}: ${issues.join("; ")}`);
}

/** `limit must be at most 1000, not 5000`; `id "x" is not a job id`. */
function sentenceOf({ path, message, input }: z.core.$ZodIssue): string {
  const field = path.map(String).join(".");
  const value = typeof input === "string" || typeof input === "number" ? shown(input) : undefined;
  if (value === undefined || value === '""') return `${field} ${message}`.trim();
  return message.startsWith("is not") ? `${field} ${value} ${message}` : `${field} ${message}, not ${value}`;
}

const SHOWN_MAX = 80;

function shown(value: string | number): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 3)}...` : text;
}

async function askPolicy(
  { name, access, diagnoses = false }: Pick<Operation, "name" | "access" | "diagnoses">,
  { actor, gate }: CallContext,
): Promise<void> {
  const asked = { operation: name, access, labels: {} };
  try {
    await (await gate()).ask(actor, asked);
  } catch (error) {
    const isWrongPolicy = isAppError(error) && error.code === "CONFIG";
    if (!isWrongPolicy || !diagnoses || access === "write") throw error;
  }
}
