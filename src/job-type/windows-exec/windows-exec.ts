import { z } from "zod";
import { isAppError } from "../../error.ts";
import { defineJob } from "../../job/definition.ts";
import { Count, HostName, PowerShellText, programText, Sha256, TraceId } from "../fields.ts";

/** CreateProcess takes this many characters, and a quote may double. */
const LINE_MAX = 32_000;

const Text = programText(
  "command lines show in process lists and event logs; let the program read it from a file of its own account",
).max(LINE_MAX, { error: `is longer than ${LINE_MAX} characters` });

const Argv = z
  .array(Text)
  .min(1, { error: "needs at least the program" })
  .refine((argv) => argv[0] !== "", { error: "needs the name of a program first" });

/** A line, or argv; on a command line `--cmd LINE`, or `--cmd PROGRAM --arg ARGUMENT`. */
const Command = z
  .union([Text.min(1, { error: "is empty" }), Argv], {
    // Of the two, the one that was meant says what is wrong.
    error: ({ input, errors }) => errors?.[Array.isArray(input) ? 1 : 0]?.[0]?.message,
  })
  .meta({ words: { first: "cmd", further: "arg" } });

const Input = z.strictObject({
  command: Command.describe(
    "What to run: a text is a line for the machine's default shell, as ssh would give it; a list is a program and its arguments, each as it is.",
  ),
  host: HostName.describe("The machine: a name of the block hosts, or default."),
  idempotent_check: PowerShellText.optional().describe(
    "PowerShell that says whether the work is done already: exit 0 means yes, and the command is not run. Asked before the command and again after a crash; it must change nothing.",
  ),
  verify: PowerShellText.optional().describe(
    "PowerShell that is asked after the command and decides: exit 0 means that the work is done, whatever the command's own exit code.",
  ),
  trace_id: TraceId.describe("Becomes the job's trace id."),
});

const Result = z.strictObject({
  state: z.enum(["completed", "skipped"]).describe("skipped: the idempotence check said that there was nothing to do."),
  host: z.string().describe("The machine that it ran on."),
  exit_code: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .nullable()
    .describe("The command's exit code, 0 to 4294967295; null when it was not run."),
  duration_ms: Count.describe("How long the command ran."),
  stdout_sha256: Sha256.nullable().describe("SHA-256 of ssh/stdout.txt, in hexadecimal; null when it was not run."),
  stderr_sha256: Sha256.nullable().describe("SHA-256 of ssh/stderr.txt, in hexadecimal; null when it was not run."),
  stdout_bytes: Count.describe("Length of ssh/stdout.txt in bytes."),
  stderr_bytes: Count.describe("Length of ssh/stderr.txt in bytes."),
  verified: z.boolean().describe("True when verify was asked and said yes."),
  warnings: z.array(z.string()).describe("What somebody should know of the answer."),
});

/** The input of `windows.exec` as its handler receives it. */
export type WindowsExecInput = z.output<typeof Input>;

/** The result of `windows.exec`. */
export type WindowsExecResult = z.output<typeof Result>;

/**
 * Runs a command on a Windows machine over SSH. It completes with exit code 0, or when `verify` says that the work is done;
 * any other end is `EXIT_NONZERO` or `VERIFY_FAILED`, with the same facts in the error's details. What it printed is kept
 * as `ssh/stdout.txt` and `ssh/stderr.txt` however it ended, and the code as `ssh/exit_code.txt`.
 *
 * The remote process tree ends with its attempt: on cancel, timeout, and when its worker dies. Tried again by itself: only
 * what failed before the command ran, and can be better the next time.
 */
export const windowsExec = defineJob({
  name: "windows.exec",
  input: Input,
  result: Result,
  timeout: { max: "24h" },
  // The table looks fields up by their text, and that of an absent one is "undefined".
  afterCrash: { field: "idempotent_check", cases: { undefined: "stop" }, otherwise: "check" },
  afterCrashByCaller: true,
  retryOnExit: true,
  recordsEffects: true,
  traceId: "trace_id",
  retryable: precedesCommand,
});

function precedesCommand(error: unknown): boolean {
  if (!isAppError(error)) return false;
  return error.code === "HOST_UNREACHABLE" || error.code === "DATABASE_BUSY" || error.code === "DATABASE_FULL";
}
