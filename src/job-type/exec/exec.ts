import { z } from "zod";
import { isAppError } from "../../error.ts";
import { environmentNameProblem } from "../../host/local/environment.ts";
import { defineJob } from "../../job/definition.ts";
import { secretText } from "../../job/secret.ts";
import { Count, NUL_PROBLEM, programText, Sha256 } from "../fields.ts";

const Argument = programText("arguments show in process lists; give secrets in env or stdin");

const Argv = z
  .array(Argument, {
    error: ({ input }) =>
      input === undefined ? "is missing; on a command line the program stands behind --" : undefined,
  })
  .min(1, { error: "needs at least the program" })
  .refine((argv) => argv[0] !== "", { error: "needs the name of a program first" });

const Environment = z.record(z.string(), secretText()).superRefine((env, check) => {
  for (const [name, value] of Object.entries(env)) {
    const broken = typeof value === "string" && value.includes("\0") ? NUL_PROBLEM : undefined;
    const message = environmentNameProblem(name) ?? broken;
    if (message !== undefined) check.addIssue({ code: "custom", path: [name], message });
  }
});

const Input = z.strictObject({
  argv: Argv.describe(
    "The program and its arguments, each as it is: no shell reads them. The program is a path, or a name that is looked up once on PATH.",
  ),
  cwd: programText()
    .min(1, { error: "is empty; leave it out for the worker's own folder" })
    .optional()
    .describe("The folder to run in. Default: the worker's own; a relative one is read from there."),
  env: Environment.optional().describe(
    'Variables for the program beside those that exec.env passes on; a value may be {"$secret": "NAME"}.',
  ),
  stdin: secretText()
    .optional()
    .describe('What the program reads on its standard input, as UTF-8; may be {"$secret": "NAME"}. Default: nothing.'),
  check_argv: Argv.optional().describe(
    "A command that says whether the work is done already: exit 0 means yes. Run after a crash whose outcome is unknown, before the program would be run again; it must change nothing.",
  ),
  orphan: z
    .enum(["adopt", "kill"])
    .default("adopt")
    .describe("What becomes of the program when its worker dies: the next worker adopts it, or kills it."),
});

const Result = z.strictObject({
  exit_code: z.int().nullable().describe("The program's exit code; null when a signal ended it."),
  signal: z.string().nullable().describe("The signal that ended it, such as SIGTERM; null when it ended by itself."),
  duration_ms: Count.describe("How long it ran."),
  stdout_sha256: Sha256.describe("SHA-256 of exec/stdout.txt, in hexadecimal."),
  stderr_sha256: Sha256.describe("SHA-256 of exec/stderr.txt, in hexadecimal."),
  stdout_bytes: Count.describe("Length of exec/stdout.txt in bytes."),
  stderr_bytes: Count.describe("Length of exec/stderr.txt in bytes."),
});

/** The input of `exec` as its handler receives it: secrets are texts by then. */
export type ExecInput = z.output<typeof Input>;

/** The result of `exec`. */
export type ExecResult = z.output<typeof Result>;

/**
 * Runs a program on the worker's machine. It completes with exit code 0; any other end is `EXIT_NONZERO`, with the same
 * facts in the error's details. Output is kept as `exec/stdout.txt` and `exec/stderr.txt` however it ended, and the code
 * (or the name of the signal) as `exec/exit_code.txt`.
 *
 * The program outlives its worker: the next one on that machine adopts it. What it leaves running in its process group
 * is ended with it. Tried again by itself: only what failed before the program ran, and can be better the next time.
 */
export const exec = defineJob({
  name: "exec",
  input: Input,
  result: Result,
  timeout: { max: "24h" },
  // The table looks fields up by their text, and that of an absent one is "undefined".
  afterCrash: { field: "check_argv", cases: { undefined: "stop" }, otherwise: "check" },
  afterCrashByCaller: true,
  retryOnExit: true,
  recordsEffects: true,
  retryable: precedesProgram,
});

/** A full table of processes passes, a wrong path does not; and no database error can come once the program runs. */
function precedesProgram(error: unknown): boolean {
  if (!isAppError(error)) return false;
  if (error.code === "PROGRAM_NOT_STARTED") return error.details["transient"] === true;
  return error.code === "DATABASE_BUSY" || error.code === "DATABASE_FULL" || error.code === "COMMIT_UNKNOWN";
}
