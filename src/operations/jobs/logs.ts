import { join } from "node:path";
import { z } from "zod";
import type { Backend } from "../../backend/backend.ts";
import type { JobStatus } from "../../backend/reading.ts";
import { type ErrorRecord, errorText } from "../../error.ts";
import { JobId } from "../../id.ts";
import { JobState } from "../../job/state.ts";
import type { Pairs } from "../../logfmt.ts";
import { locateFiles } from "../artifacts/locate-files.ts";
import { jobNotFound, Timestamp, timestamp } from "../fields.ts";
import { type DatabaseContext, defineOperation } from "../operation.ts";
import { guardOutput } from "./guard-output.ts";
import { type OutputFile, outputFiles } from "./output-files.ts";
import { readTail } from "./read-tail.ts";

/** One line of a job's history. */
const HistoryLine = z.strictObject({
  at: Timestamp,
  run: z.int(),
  event: z.string(),
  data: z.record(z.string(), z.unknown()),
});

/** One stream of a job's output. */
const OutputTail = z.strictObject({
  stream: z.enum(["stdout", "stderr", "log"]),
  path: z.string().describe("The file that holds it; of a running job it grows and may hold secrets."),
  bytes: z.int(),
  text: z
    .string()
    .nullable()
    .describe(
      "Its end, at most output.tail_bytes; null while the job runs and refers to secrets that are not known here.",
    ),
});

/** What happened to a job, and where its output lies. */
export const jobLogs = defineOperation({
  name: "jobs.logs",
  summary: "Show the history of a job and its kept output.",
  description: "With -f it follows a job that has not ended, to its end.",
  access: "read",
  input: z.strictObject({ id: JobId }),
  output: z.strictObject({
    job_id: JobId,
    state: JobState,
    history: z.array(HistoryLine),
    output: z.array(OutputTail).describe("The job's own output, of its newest run."),
  }),
  errors: ["JOB_NOT_FOUND"],
  database: "read",
  positional: ["id"],
  lines: ({ history }) => history.map(historyLine),
  async run({ id }, context) {
    const { backend, config } = context.windlass;
    const status = await backend.status(id);
    if (status === undefined) throw jobNotFound(id, config.database.path);
    return {
      job_id: id,
      state: status.state,
      history: await readHistory(backend, id),
      output: await findOutput(context, status),
    };
  },
});

/** The history of a job as surfaces show it. */
export async function readHistory(
  backend: Pick<Backend, "history">,
  id: string,
): Promise<z.output<typeof HistoryLine>[]> {
  const rows = await backend.history(id);
  return rows.map(({ atMs, runNumber, event, data }) => ({
    at: timestamp(atMs),
    run: runNumber,
    event,
    data: Object.fromEntries(
      Object.entries(data).map(([name, value]) => [name, isTime(name, value) ? timestamp(value) : value]),
    ),
  }));
}

/** Moments among the facts of a move, in Unix milliseconds as they are stored. */
const TIMES: ReadonlySet<string> = new Set(["claimed_at", "due_at", "due_before", "retry_at", "slot_at"]);

function isTime(name: string, value: unknown): value is number {
  return TIMES.has(name) && typeof value === "number";
}

/** A line of the history: its facts stand beside it. */
export function historyLine({ at, run, event, data }: z.output<typeof HistoryLine>): Pairs {
  const shown = Object.entries(data).map(([name, value]) => [name, plain(value)]);
  return { at, run, event, ...(Object.fromEntries(shown) as Pairs) };
}

/** An error as its text, a list of texts as `anna,ben`; anything else as it is. */
function plain(value: unknown): unknown {
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value.join(",");
  return isError(value) ? errorText(value) : value;
}

/** On a line an error reads as everywhere else: `CODE: message`. */
function isError(value: unknown): value is ErrorRecord {
  if (typeof value !== "object" || value === null || !("code" in value && "message" in value)) return false;
  return typeof value.code === "string" && typeof value.message === "string";
}

async function findOutput(context: DatabaseContext, status: JobStatus): Promise<z.output<typeof OutputTail>[]> {
  const { environment, windlass } = context;
  const tailBytes = windlass.config.output.tailBytes;
  const found = await outputPaths(windlass.backend, status);
  // Kept files are masked already.
  const guard = status.endedAtMs === null ? guardOutput(status.secrets, environment) : ({ kind: "plain" } as const);
  const tails = await Promise.all(
    found.map(async ({ stream, path }) => {
      const tail = await readTail(path, { tailBytes, redactor: guard.kind === "masked" ? guard.redactor : undefined });
      if (tail === undefined) return [];
      return [{ stream, path, bytes: tail.bytes, text: guard.kind === "hidden" ? null : tail.text }];
    }),
  );
  return tails.flat();
}

async function outputPaths(
  backend: Pick<Backend, "artifacts">,
  { jobId, type, runNumber, folder }: JobStatus,
): Promise<readonly OutputFile[]> {
  const files = outputFiles(type);
  if (folder !== null) return files.map(({ stream, path }) => ({ stream, path: join(folder, path) }));
  const manifest = await backend.artifacts.manifest(jobId, runNumber);
  if (manifest === undefined) return [];
  const located = locateFiles(manifest);
  return files.flatMap(({ stream, path }) => {
    const absolute = located.find((file) => file.path === path)?.absolute;
    return absolute === undefined ? [] : [{ stream, path: absolute }];
  });
}
