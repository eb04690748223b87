import { join } from "node:path";
import type { ArtifactIndex } from "../../artifact/manifest.ts";
import type { JobStatus } from "../../backend/reading.ts";
import { locateFiles } from "../../operations/artifacts/locate-files.ts";
import { outputFiles } from "../../operations/jobs/output-files.ts";
import { readTail } from "../../operations/jobs/read-tail.ts";
import type { Call } from "../command.ts";
import type { WriteBytes } from "../output-follower.ts";

/** What a presentation reads of a job that has ended. */
export interface EndedJob {
  readonly status: JobStatus;
  readonly artifacts: Pick<ArtifactIndex, "manifest">;
  /** How much of a kept file is shown. */
  readonly tailBytes: number;
}

/** How a job that is run here shows itself. */
export interface Presentation {
  /** Which of its output passes through while it runs. */
  readonly passes: "all" | "stdout" | "nothing";
  /** Whether a person sees how far it is: nothing that it prints itself would tell. */
  readonly isWatched: boolean;
  /** What is printed at its end beside its state; `undefined`: nothing is printed, its output was all. */
  facts(job: EndedJob): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** The job's own output is all there is to see. */
const OUTPUT_ALONE: Presentation = { passes: "all", isWatched: false, facts: async () => undefined };

/** What the handler returned is what there is to see. */
const RESULT: Presentation = {
  passes: "all",
  isWatched: true,
  facts: async ({ status: { result } }) => (result === null ? {} : { result }),
};

/** The bytes of standard output, as they come, and nothing else. */
export const RAW: Presentation = { passes: "stdout", isWatched: false, facts: async () => undefined };

const WINDOWS_EXEC: Presentation = {
  passes: "nothing",
  isWatched: true,
  async facts(job) {
    const stdout = await keptText(job, "ssh/stdout.txt");
    const stderr = await keptText(job, "ssh/stderr.txt");
    return {
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined || stderr === "" ? {} : { stderr }),
      ...exitCode(job.status),
      ...warning(job.status),
    };
  },
};

/** What a person wants next is the place of what was kept. */
const KEPT_FILES: Presentation = {
  passes: "nothing",
  isWatched: true,
  async facts({ status: { jobId, result }, artifacts }) {
    const manifest = await artifacts.manifest(jobId);
    const said = typeof result === "object" && result !== null ? result : {};
    return {
      ...Object.fromEntries(Object.entries(said).filter(([name]) => name !== "state")),
      ...(manifest === undefined ? {} : { artifact_root: join(manifest.root, manifest.jobId) }),
    };
  },
};

const PRESENTATIONS: Readonly<Record<string, Presentation>> = {
  "windows.exec": WINDOWS_EXEC,
  "aloha.run": KEPT_FILES,
  "playwright.run": KEPT_FILES,
};

/** How jobs of a type show themselves. */
export function presentationOf(type: string): Presentation {
  const known = Object.hasOwn(PRESENTATIONS, type) ? PRESENTATIONS[type] : undefined;
  // A log alone is no output: the result stands for it.
  return known ?? (outputFiles(type).length === 1 ? RESULT : OUTPUT_ALONE);
}

/** Where the output of a running job goes. */
export function outputOf(
  { terminal, globals }: Pick<Call, "terminal" | "globals">,
  { passes }: Presentation,
  before: () => void,
): WriteBytes {
  const isSilent = passes === "nothing" || globals.quiet || globals.json;
  return async (stream, bytes) => {
    if (isSilent || (passes === "stdout" && stream !== "stdout")) return;
    before();
    await terminal.write(stream === "stdout" ? "out" : "error", bytes);
  };
}

/** A kept file as one value: its end where it is long, with the line breaks of Unix and none at its end. */
async function keptText({ status, artifacts, tailBytes }: EndedJob, path: string): Promise<string | undefined> {
  const manifest = await artifacts.manifest(status.jobId);
  const file = manifest && locateFiles(manifest).find((one) => one.path === path);
  const tail = file?.absolute && (await readTail(file.absolute, { tailBytes, redactor: undefined }));
  if (!tail) return undefined;
  return tail.text.replaceAll("\r\n", "\n").replace(/\n$/, "");
}

/** What somebody should know of an answer, such as a check that printed `False` and said yes. */
function warning({ result }: JobStatus): { readonly warning?: string } {
  const { warnings = [] } = (result ?? {}) as { readonly warnings?: readonly string[] };
  return warnings.length === 0 ? {} : { warning: warnings.join("; ") };
}

/** In the result of what completed and in the details of what did not. */
function exitCode({ result, error }: JobStatus): { readonly exit_code?: unknown } {
  const facts = (result ?? error?.details ?? {}) as { readonly exit_code?: unknown };
  return facts.exit_code === undefined || facts.exit_code === null ? {} : { exit_code: facts.exit_code };
}
