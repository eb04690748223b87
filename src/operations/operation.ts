import type { z } from "zod";
import type { Backend } from "../backend/backend.ts";
import type { PolicyGate } from "../backend/policy-gate.ts";
import type { Submit } from "../backend/submit.ts";
import type { Clock } from "../clock.ts";
import type { Config, LoadedConfig } from "../config/config.ts";
import { type AppError, type ErrorCode, isAppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import { sayIssue } from "../job/say-issue.ts";
import type { Pairs } from "../logfmt.ts";
import type { Actor } from "../policy/actor.ts";
import { refuseAgent } from "./refuse-agent.ts";
import { wrongInput } from "./wrong-input.ts";

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

/** A job as somebody asks for it, as far as the policy looks at it. */
export interface RequestedJob {
  readonly type: string;
  readonly input?: unknown;
  readonly requires?: Readonly<Record<string, string>> | undefined;
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
  /**
   * The jobs that {@link Operation.asksItself} asks about, as the input says them. Before a database is made or migrated
   * for a call, what no rule could allow is refused by them.
   */
  jobs?(input: z.output<Input>): readonly RequestedJob[];
  /** True for an input by which an operation that reads changes something all the same; the policy is then asked about a change. */
  changes?(input: z.output<Input>): boolean;
  /**
   * True for what an agent never does, whatever the policy says: deciding about approvals. It is refused with
   * `APPROVAL_BY_AGENT`, and a surface that is made for agents (MCP) does not offer it.
   */
  readonly refusesAgents?: boolean;
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
  return operation.run(await askedInput(operation, input, context), context);
}

/**
 * As {@link callOperation}, for who opens the database for it: reads the input and asks the policy first, so that a call
 * that is refused makes no database.
 *
 * @param open is given the input; called when the policy has said yes, or is asked by the operation itself.
 * @throws AppError as {@link callOperation}, and what `open` throws.
 */
export async function callOpening<Input extends z.ZodObject, Output extends z.ZodType>(
  operation: Operation<Input, Output>,
  input: unknown,
  { context, open }: { readonly context: CallContext; open(input: z.output<Input>): Promise<DatabaseContext> },
): Promise<z.output<Output>> {
  const parsed = await askedInput(operation, input, context);
  return operation.run(parsed, await open(parsed));
}

type Asking<Input extends z.ZodObject> = Pick<
  Operation<Input>,
  "name" | "input" | "access" | "diagnoses" | "asksItself" | "changes" | "refusesAgents"
>;

/** @throws AppError `POLICY_DENIED`, `USAGE`, `INVALID_ID`, `APPROVAL_BY_AGENT`. */
async function askedInput<Input extends z.ZodObject>(
  operation: Asking<Input>,
  input: unknown,
  context: CallContext,
): Promise<z.output<Input>> {
  const parsed = readInput(operation, input);
  if (operation.refusesAgents === true) await refuseAgent(operation.name, context.actor, context.gate);
  const access = operation.changes?.(parsed) === true ? "write" : operation.access;
  if (operation.asksItself !== true) await askPolicy({ ...operation, access }, context);
  return parsed;
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
