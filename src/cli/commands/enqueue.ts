import type { LoadedConfig } from "../../config/config.ts";
import { AppError, isAppError } from "../../error.ts";
import { enqueueManyJobs } from "../../operations/jobs/enqueue-many.ts";
import type { Call } from "../command.ts";
import { type Action, type Overlay, perform as performOperation, printOutput } from "../operation-command.ts";
import { readSource } from "../read-values.ts";
import { tellApproval } from "../tell-approval.ts";
import { INPUT_FLAG } from "../typed-input.ts";
import { WATCH_FLAGS, wantsWatch } from "./watch-flags.ts";

/** `jobs enqueue`: one job, or many from a file. */
export const enqueueOverlay: Overlay = {
  flags: [
    {
      name: "from-file",
      kind: "text",
      placeholder: "FILE",
      description:
        "Stores many jobs in one go, all or none: each line is JSON with the fields type, input and those of the flags above (idempotency_key, …), which the flags give where a line does not; - reads standard input.",
    },
    ...WATCH_FLAGS,
  ],
  optional: ["type"],
  async run(call, action) {
    const file = call.values.get("from-file");
    return file === undefined ? enqueueOne(call, action) : enqueueFile(call, action, String(file));
  },
};

interface Enqueued {
  readonly job_id: string;
  readonly approval_id: string | null;
  readonly served: boolean;
}

/** Stores one job and, where the call asks for it, follows it. */
export async function enqueueOne(call: Call, { input, perform, finish }: Action): Promise<number> {
  const watch = wantsWatch(call);
  if (input["type"] === undefined) throw new AppError("USAGE", `${call.command} needs --type, or --from-file`);
  const output = (await perform(input)) as Enqueued;
  if (!output.served) await warnUnserved(call, [String(input["type"])]);
  tellHeld(call, [output]);
  if (watch === undefined) return finish(output);
  // The id stands on the first line, whatever becomes of the watching; JSON is one value, the status.
  if (!call.globals.json) finish(output);
  const { watchToEnd } = await import("./watch-to-end.ts");
  const windlass = await call.session.open("write", true);
  return watchToEnd(windlass, output.job_id, { ...watch, call });
}

async function enqueueFile(call: Call, { input }: Action, file: string): Promise<number> {
  if (wantsWatch(call) !== undefined)
    throw new AppError("USAGE", `${call.command}: --watch follows one job; follow those of a file with jobs wait`);
  const { input: jobInput, ...defaults } = input;
  if (call.values.has(INPUT_FLAG.name) || Object.keys(jobInput as object).length > 0)
    throw new AppError("USAGE", `${call.command}: with --from-file the input of each job stands in its line`);
  const text = await readSource({ name: "from-file" }, file === "-" ? file : `@${file}`, {
    cwd: process.cwd(),
    stdin: process.stdin,
  });
  const lines = readLines(text).map(({ number, request }) => ({ number, request: withDefaults(request, defaults) }));
  try {
    const output = await performOperation(enqueueManyJobs, { requests: lines.map(({ request }) => request) }, call);
    const { served, jobs } = output as { served: boolean; jobs: readonly Enqueued[] };
    if (!served) await warnUnserved(call, typesOf(lines));
    tellHeld(call, jobs);
    return printOutput(enqueueManyJobs, output, call);
  } catch (error) {
    throw atLine(error, lines);
  }
}

function tellHeld({ log, command }: Call, jobs: readonly Enqueued[]): void {
  for (const { job_id: jobId, approval_id: approvalId } of jobs)
    if (approvalId !== null) tellApproval(log, command.replace(" ", "."), { jobId, approvalId });
}

/** What the flags say holds for every line that does not say it itself. */
function withDefaults(request: unknown, defaults: Readonly<Record<string, unknown>>): unknown {
  return typeof request === "object" && request !== null ? { ...defaults, ...request } : request;
}

interface Line {
  /** From 1. */
  readonly number: number;
  readonly request: unknown;
}

/** Empty lines are passed over, and count. */
function readLines(text: string): readonly Line[] {
  const lines = text.split("\n").flatMap((line, index): readonly Line[] => {
    if (line.trim() === "") return [];
    try {
      return [{ number: index + 1, request: JSON.parse(line) }];
    } catch {
      throw new AppError("USAGE", `line ${index + 1} is not JSON; nothing was stored`);
    }
  });
  if (lines.length === 0) throw new AppError("USAGE", "the file holds no request; each line is one, as JSON");
  return lines;
}

/** Requests are counted from 1 without the empty lines between them; people count lines. */
function atLine(error: unknown, lines: readonly Line[]): unknown {
  if (!isAppError(error)) return error;
  const { code, message, details } = error;
  const line = (request: unknown): number => lines[Number(request)]?.number ?? 0;
  const text = message
    .replace(/^request (\d+): /, (_, request) => `line ${line(Number(request) - 1)}: `)
    .replace(/^jobs enqueue-many: /, "")
    .replaceAll(/\brequests\.(\d+)\.?/g, (_, request) => `line ${line(request)}: `);
  return new AppError(code, text, { details, cause: error });
}

function typesOf(lines: readonly Line[]): readonly string[] {
  return [...new Set(lines.map(({ request }) => String((request as { type?: unknown }).type)))];
}

/** A job that nobody runs is the first thing that goes wrong; so what to type stands there. */
async function warnUnserved({ session, log, command }: Call, types: readonly string[]): Promise<void> {
  const [loaded, { builtInTypes }] = await Promise.all([session.config(), import("../../job-type/registry.ts")]);
  const builtIn = new Set(builtInTypes(loaded.config).map(({ name }) => name));
  log.warn(
    command.replace(" ", "."),
    `no live worker serves ${types.join(", ")}; the jobs wait until one does: ${workerCommand(
      loaded,
      types.every((type) => builtIn.has(type)),
    )}`,
  );
}

function workerCommand({ config, origins }: LoadedConfig, builtIn: boolean): string {
  const given = (key: string): boolean => origins.get(key)?.kind === "flag";
  return [
    "windlass worker",
    ...(given("database.path") ? ["--db", config.database.path] : []),
    ...(given("jobs") ? config.jobs.flatMap((path) => ["--jobs", path]) : []),
    // A worker without the file would not serve it either; it is known here because one that had it published it.
    ...(config.jobs.length === 0 && !builtIn ? ["--jobs", "FILE"] : []),
  ].join(" ");
}
