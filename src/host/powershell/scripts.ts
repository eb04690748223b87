import { z } from "zod";
import { AppError } from "../../error.ts";
import { ownScript } from "./own-script.ts";
import type { ScriptArgument } from "./request.ts";
import type { PowerShellRunner } from "./runner.ts";

/** One of our scripts: its name, and the shape of its answer. `A` is what it is given. */
export interface HostQuestion<A extends ScriptArgument, R> {
  readonly name: string;
  readonly answer: z.ZodType<R>;
  /** Only for the compiler. */
  readonly takes?: A;
}

/** A script of `scripts/NAME.ps1` with its shapes. */
export function hostQuestion<A extends ScriptArgument, R>(name: string, answer: z.ZodType<R>): HostQuestion<A, R> {
  return { name, answer };
}

const SHOWN_ISSUES = 5;
const SHOWN_CHARACTERS = 500;

type Nothing = Readonly<Record<string, never>>;
const Count = z.int().min(0);

/** A machine has no more listeners, rules and sessions of interest. Counted first: each item that is wrong costs an issue. */
const LISTED_MAX = 1_000;
const listOf = <T>(item: z.ZodType<T>) => z.array(z.unknown()).max(LISTED_MAX).pipe(z.array(item));

const HostFacts = z.object({
  system: z.string(),
  version: z.string(),
  computer: z.string(),
  user: z.string(),
  /** Null where it cannot be told. */
  is_elevated: z.boolean().nullable(),
  session_id: Count,
  powershell: z.string(),
  edition: z.string(),
  code_page: z.int(),
});
/** What the machine and the account are. */
export const TELL_HOST = hostQuestion<Nothing, z.infer<typeof HostFacts>>("tell-host", HostFacts);

const HostTime = z.object({ utc_ms: z.int(), time_zone: z.string() });
/** What time it is there. */
export const CLOCK = hostQuestion<Nothing, z.infer<typeof HostTime>>("clock", HostTime);

const ListeningPort = z.object({
  is_listening: z.boolean(),
  listeners: listOf(z.object({ address: z.string(), pid: Count, name: z.string(), path: z.string() })),
});
/** Who listens on a TCP port. */
export const LISTENING_PORT = hostQuestion<{ readonly port: number }, z.infer<typeof ListeningPort>>(
  "listening-port",
  ListeningPort,
);

const FirewallRule = z.object({
  /** Some rule of this name lets TCP in on this port. */
  is_right: z.boolean(),
  /** A rule was made or set right. */
  changed: z.boolean(),
  rules: listOf(
    z.object({
      name: z.string(),
      is_enabled: z.boolean(),
      direction: z.string(),
      action: z.string(),
      protocol: z.string(),
      local_port: z.string(),
      remote_address: z.string(),
      profile: z.string(),
    }),
  ),
});
/** Looks for a rule by its name or display name; with `create` there is a right one afterwards. `remote_address`: "" is any. */
export const FIREWALL_RULE = hostQuestion<
  { readonly name: string; readonly port: number; readonly create: boolean; readonly remote_address: string },
  z.infer<typeof FirewallRule>
>("firewall-rule", FirewallRule);

const DesktopSessions = z.object({
  sessions: listOf(
    z.object({
      id: Count,
      user: z.string(),
      /** False: nobody looks at it, and nothing can be seen of it. Null where it cannot be told. */
      is_connected: z.boolean().nullable(),
      is_locked: z.boolean(),
    }),
  ),
});
/** The sessions that have a desktop. */
export const DESKTOP_SESSION = hostQuestion<Nothing, z.infer<typeof DesktopSessions>>(
  "desktop-session",
  DesktopSessions,
);

const ScheduledTask = z.discriminatedUnion("exists", [
  z.object({ exists: z.literal(false) }),
  z.object({
    exists: z.literal(true),
    /** `Ready`, `Running`, `Disabled`, `Queued`, `Unknown`. */
    state: z.string(),
    /** 267009 it runs, 267011 it never ran, 267014 a user stopped it; else the program's exit code or an HRESULT. */
    last_result: Count,
    /** ISO 8601, UTC. */
    last_run_at: z.string().nullable(),
    user: z.string(),
    logon_type: z.string(),
    execute: z.string(),
    arguments: z.string(),
    /** ISO 8601; `PT0S` is none. */
    execution_time_limit: z.string(),
  }),
]);
/** What the scheduler knows of a task. */
export const SCHEDULED_TASK = hostQuestion<{ readonly name: string }, z.infer<typeof ScheduledTask>>(
  "scheduled-task",
  ScheduledTask,
);

const StartedTask = z.object({ exists: z.boolean(), was_running: z.boolean(), state: z.string(), last_result: Count });
/** Starts a task that does not run; `state` is that of up to three seconds later. */
export const START_TASK = hostQuestion<{ readonly name: string }, z.infer<typeof StartedTask>>(
  "start-task",
  StartedTask,
);

const FilePiece = z.object({
  exists: z.boolean(),
  /** Of the whole file. */
  size: Count,
  /** Where the piece begins. */
  offset: Count,
  data: z.base64().transform((text) => Buffer.from(text, "base64")),
});
/** Reads a piece of a file that others may write to; a negative `offset` counts from the end. */
export const READ_FILE = hostQuestion<
  { readonly path: string; readonly offset: number; readonly max_bytes: number },
  z.infer<typeof FilePiece>
>("read-file", FilePiece);

/** What is wrong with the shape of an answer, as far as anybody would read it. */
export function shapeProblem({ issues }: z.ZodError): string {
  return z.prettifyError({ issues: issues.slice(0, SHOWN_ISSUES) }).slice(0, SHOWN_CHARACTERS);
}

/**
 * Asks a host one of these questions.
 *
 * @throws AppError `SCRIPT_FAILED` (also for an answer of another shape), `TIMEOUT`, `RUNNER_LOST`; the signal's reason.
 */
export async function askHost<A extends ScriptArgument, R>(
  runner: Pick<PowerShellRunner, "call">,
  question: HostQuestion<A, R>,
  arg: A,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<R> {
  const answer = await runner.call(ownScript(question.name), arg, options);
  const parsed = question.answer.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new AppError("SCRIPT_FAILED", `${question.name} answered what it should not: ${shapeProblem(parsed.error)}`);
}
