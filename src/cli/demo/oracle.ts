import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digestFile } from "../../artifact/attempt-folder.ts";
import type { Backend } from "../../backend/backend.ts";
import type { JobStatus } from "../../backend/reading.ts";
import type { Connection } from "../../database/connection.ts";

/** A job that the demonstration was told is durable, and what must have come of it. */
export interface Promised {
  readonly jobId: string;
  readonly item: string;
  readonly kind: "own" | "program" | "request";
  /** What a program printed, when it ran exactly once. */
  readonly stdout?: string;
}

/** One line of the ledger that the jobs wrote themselves. */
interface LedgerLine {
  readonly what: "start" | "end";
  readonly item: string;
  readonly attempt: number;
  readonly desk: string;
  readonly at: number;
}

/** One thing that was checked. */
export interface Verdict {
  readonly name: string;
  readonly checked: number;
  readonly problems: readonly string[];
}

/** What the oracle looks at: what was promised, what the jobs did, what the database says, and what lies on the disk. */
export interface Evidence {
  readonly promised: readonly Promised[];
  readonly ledger: string;
  readonly backend: Backend;
  readonly db: Connection;
}

/** Holds the promises against what happened. Trusts neither the engine's word nor the jobs'. */
export async function judge({ promised, ledger, backend, db }: Evidence): Promise<readonly Verdict[]> {
  const statuses = new Map<string, JobStatus>();
  for (const { jobId } of promised) {
    const status = await backend.status(jobId);
    if (status !== undefined) statuses.set(jobId, status);
  }
  const lines = readLedger(ledger);
  return [
    nothingLost(promised, statuses),
    recordedOnce(promised, db),
    effectsMatchAttempts(promised, statuses, lines),
    oneAtEachDesk(lines),
    programsRanOnce(promised, statuses, ledger),
    await filesIntact(promised, backend),
    {
      name: "the database is sound",
      checked: 1,
      problems: db.pragma("integrity_check") === "ok" ? [] : ["integrity_check does not say ok"],
    },
  ];
}

function nothingLost(promised: readonly Promised[], statuses: ReadonlyMap<string, JobStatus>): Verdict {
  const problems = promised.flatMap(({ jobId, item }) => {
    const status = statuses.get(jobId);
    return status?.state === "completed"
      ? []
      : [`${item} (${jobId}) is ${status?.state ?? "gone"}: ${status?.error?.message ?? ""}`];
  });
  return { name: "every job that was accepted has completed", checked: promised.length, problems };
}

function recordedOnce(promised: readonly Promised[], db: Connection): Verdict {
  const ends = db.get<{ n: number }>("SELECT count(*) AS n FROM done")?.n ?? 0;
  const jobs = db.get<{ n: number }>("SELECT count(*) AS n FROM job")?.n ?? 0;
  const left =
    db.get<{ n: number }>(
      "SELECT (SELECT count(*) FROM lease) + (SELECT count(*) FROM ready) + (SELECT count(*) FROM delayed) + (SELECT count(*) FROM blocked) + (SELECT count(*) FROM holder) AS n",
    )?.n ?? 0;
  const problems = [
    ...(ends === promised.length && jobs === promised.length
      ? []
      : [`${promised.length} were accepted, ${jobs} are stored and ${ends} ends are recorded`]),
    ...(left === 0 ? [] : [`${left} leases, queue rows or keys are left over`]),
  ];
  return { name: "each was recorded once, and nothing is left over", checked: ends, problems };
}

/** An attempt that was killed may have begun; only the attempt whose end is recorded may have finished. */
function effectsMatchAttempts(
  promised: readonly Promised[],
  statuses: ReadonlyMap<string, JobStatus>,
  lines: readonly LedgerLine[],
): Verdict {
  const own = promised.filter(({ kind }) => kind === "own");
  const problems = own.flatMap(({ jobId, item }) => {
    const attempts = statuses.get(jobId)?.attempt ?? 0;
    const starts = lines.filter((line) => line.item === item && line.what === "start").length;
    const ends = lines.filter((line) => line.item === item && line.what === "end").length;
    return starts <= attempts && ends >= 1 && ends <= starts
      ? []
      : [`${item}: ${attempts} attempts recorded, ${starts} begun and ${ends} finished in the ledger`];
  });
  return { name: "the jobs' own ledger agrees with the attempts recorded", checked: own.length, problems };
}

function oneAtEachDesk(lines: readonly LedgerLine[]): Verdict {
  const problems: string[] = [];
  const desks = new Set(lines.map(({ desk }) => desk).filter((desk) => desk !== ""));
  for (const desk of desks) {
    let last: LedgerLine | undefined;
    for (const line of lines.filter((candidate) => candidate.desk === desk)) {
      // A start whose end never came belongs to the worker that was killed.
      if (line.what === "end" && last?.item !== line.item)
        problems.push(`desk ${desk}: ${line.item} ended while ${last?.item ?? "nobody"} had it`);
      last = line;
    }
  }
  return { name: "no two jobs shared a desk", checked: desks.size, problems };
}

function programsRanOnce(
  promised: readonly Promised[],
  statuses: ReadonlyMap<string, JobStatus>,
  ledger: string,
): Verdict {
  const programs = promised.filter(({ kind }) => kind === "program");
  const marks = existsSync(`${ledger}.programs`) ? readFileSync(`${ledger}.programs`, "utf8").split("\n") : [];
  const problems = programs.flatMap(({ jobId, item }) => {
    const ran = marks.filter((mark) => mark === item).length;
    const code = (statuses.get(jobId)?.result as { exit_code?: number } | null)?.exit_code;
    return ran === 1 && code === 0 ? [] : [`${item}: ran ${ran} times, exit code ${code}`];
  });
  return { name: "each program ran once, though its worker was killed", checked: programs.length, problems };
}

async function filesIntact(promised: readonly Promised[], backend: Backend): Promise<Verdict> {
  const problems: string[] = [];
  let checked = 0;
  for (const { jobId, item, stdout } of promised) {
    const manifest = await backend.artifacts.manifest(jobId);
    for (const file of manifest?.files ?? []) {
      checked++;
      const path = join(manifest?.root ?? "", manifest?.folder ?? "", file.path);
      const { sha256 } = existsSync(path) ? await digestFile(path) : { sha256: "missing" };
      if (sha256 !== file.sha256) problems.push(`${item}: ${path} is ${sha256}`);
      if (stdout !== undefined && file.path === "exec/stdout.txt" && readFileSync(path, "utf8") !== stdout)
        problems.push(`${item}: its output is not what the program wrote`);
    }
    if (stdout !== undefined && manifest === undefined) problems.push(`${item} kept no files`);
  }
  return { name: "every kept file has the hash in its manifest", checked, problems };
}

function readLedger(path: string): LedgerLine[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LedgerLine);
}
