import { DatabaseSync, type SQLInputValue } from "node:sqlite";

/** A run of a job at one of the places where it can stand. */
interface Place {
  readonly place: string;
  readonly job: number;
  readonly run: number;
  readonly attempt: number;
  readonly failures: number;
  readonly crashes: number;
  /** Of `delayed`. */
  readonly reason: string | null;
  /** Of `blocked`. */
  readonly key: string | null;
}

interface Key {
  readonly key: string;
  readonly limit: number;
}

interface JobRow {
  readonly id: number;
  readonly queue: number;
  readonly rank: number;
  readonly due: number;
  readonly keys: readonly Key[];
}

interface Lease {
  readonly epoch: number;
  readonly worker: number;
  readonly jobs: readonly (readonly [number, number, number, number, number])[];
}

/** Everything that is wrong with the records of an embedded database; none is the answer that a test wants. */
export function brokenInvariants(path: string): readonly string[] {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    // One snapshot: other processes may be writing.
    db.exec("BEGIN");
    // Made by a process that died before the schema was committed.
    if (db.prepare("SELECT 1 FROM sqlite_schema").get() === undefined) return [];
    return new Checker(db).check();
  } finally {
    db.close();
  }
}

class Checker {
  readonly #db: DatabaseSync;
  readonly #broken: string[] = [];
  readonly #jobs = new Map<number, JobRow>();
  readonly #live = new Map<number, Place>();
  readonly #done: Set<string>;
  readonly #leases: readonly Lease[];

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#done = new Set(this.#all<{ name: string }>("SELECT job || '/' || run AS name FROM done").map((r) => r.name));
    this.#leases = this.#all<{ epoch: number; worker: number; jobs: string }>(
      "SELECT epoch, worker, jobs FROM lease",
    ).map((row) => ({ ...row, jobs: JSON.parse(row.jobs) as Lease["jobs"] }));
    for (const { env, ...row } of this.#all<Omit<JobRow, "keys"> & { env: string }>(
      "SELECT id, queue, rank, due, env FROM job",
    ))
      this.#jobs.set(row.id, { ...row, keys: (JSON.parse(env) as { keys?: Key[] }).keys ?? [] });
  }

  check(): readonly string[] {
    this.#checkFile();
    this.#checkStandings();
    this.#checkRuns();
    this.#checkHolders();
    this.#checkBlocked();
    this.#checkLeases();
    this.#checkOrphans();
    this.#checkHistory();
    this.#checkEnds();
    this.#checkRecords();
    this.#checkApprovals();
    return this.#broken;
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#db.prepare(sql).all(...values) as Row[];
  }

  /** A statement whose every row is a fault. */
  #none(what: string, sql: string): void {
    for (const row of this.#all<Record<string, unknown>>(`${sql} LIMIT 5`))
      this.#say(`${what}: ${JSON.stringify(row)}`);
  }

  #say(fault: string): void {
    this.#broken.push(fault);
  }

  #checkFile(): void {
    const [{ integrity_check: answer }] = this.#all<{ integrity_check: string }>("PRAGMA integrity_check") as [
      { integrity_check: string },
    ];
    if (answer !== "ok") this.#say(`integrity_check: ${answer}`);
  }

  /** Every job stands in exactly one place. */
  #checkStandings(): void {
    const columns = "job, run, attempt, failures, crashes";
    const places = [
      ...this.#all<Place>(`SELECT 'ready' AS place, ${columns}, NULL AS reason, NULL AS key FROM ready`),
      ...this.#all<Place>(`SELECT 'delayed' AS place, ${columns}, reason, NULL AS key FROM delayed`),
      ...this.#all<Place>(`SELECT 'blocked' AS place, ${columns}, NULL AS reason, key FROM blocked`),
      ...this.#all<Place>(`SELECT 'waiting' AS place, ${columns}, NULL AS reason, NULL AS key FROM waiting`),
      ...this.#leases.flatMap(({ epoch, jobs }) =>
        jobs
          .filter(([job, run]) => !this.#done.has(`${job}/${run}`))
          .map(([job, run, attempt, failures, crashes]): Place => {
            return { place: `lease ${epoch}`, job, run, attempt, failures, crashes, reason: null, key: null };
          }),
      ),
    ];
    for (const place of places) {
      const other = this.#live.get(place.job);
      if (other !== undefined) this.#say(`job ${place.job} stands in ${other.place} and in ${place.place}`);
      this.#live.set(place.job, place);
      if (place.failures + place.crashes > place.attempt)
        this.#say(`job ${place.job} has more failures and crashes than attempts: ${JSON.stringify(place)}`);
    }
    for (const id of this.#jobs.keys())
      if (!this.#live.has(id) && !this.#done.has(`${id}/1`)) this.#say(`job ${id} stands nowhere`);
    this.#none(
      "a ready row is not where its job says",
      "SELECT r.job FROM ready r JOIN job j ON j.id = r.job WHERE j.rank <> r.rank OR j.queue <> r.queue",
    );
  }

  /** Runs are numbered without gaps; only the newest may be unfinished. */
  #checkRuns(): void {
    const newest = new Map<number, number>();
    for (const { job, n, max } of this.#all<{ job: number; n: number; max: number }>(
      "SELECT job, count(*) AS n, max(run) AS max FROM done GROUP BY job",
    )) {
      newest.set(job, max);
      if (n !== max) this.#say(`job ${job} has ${n} finished runs, the newest is ${max}`);
    }
    for (const { job, run, place } of this.#live.values())
      if (run !== (newest.get(job) ?? 0) + 1)
        this.#say(`job ${job} stands in ${place} with run ${run} after ${newest.get(job) ?? 0} finished ones`);
  }

  /** Holders are exactly the jobs that were let in and have not ended, and never more than a key's limit. */
  #checkHolders(): void {
    const held = new Set<string>();
    const byKey = new Map<string, number[]>();
    for (const { key, job } of this.#all<{ key: string; job: number }>("SELECT key, job FROM holder")) {
      held.add(`${key} ${job}`);
      byKey.set(key, [...(byKey.get(key) ?? []), job]);
      if (!this.#jobs.get(job)?.keys.some((need) => need.key === key))
        this.#say(`job ${job} holds the key ${key}, which it does not need`);
      else if (!isAdmitted(this.#live.get(job)) || this.#waitsForLeave(this.#live.get(job)))
        this.#say(`job ${job} holds the key ${key} and stands in ${describe(this.#live.get(job))}`);
    }
    for (const place of this.#live.values()) {
      if (!isAdmitted(place) || this.#waitsForLeave(place)) continue;
      for (const { key } of this.#jobs.get(place.job)?.keys ?? [])
        if (!held.has(`${key} ${place.job}`)) this.#say(`job ${place.job} was let in without its key ${key}`);
    }
    for (const [key, jobs] of byKey) {
      const limits = jobs.map((job) => this.#limit(job, key));
      if (jobs.length > Math.max(...limits)) this.#say(`the key ${key} of limit ${limits} has ${jobs.length} holders`);
    }
  }

  /** It has not started, and holds nothing. */
  #waitsForLeave(place: Place | undefined): boolean {
    if (place?.place !== "waiting" || place.attempt > 0) return false;
    return this.#all("SELECT 1 FROM wait WHERE job = ? AND run = ? AND position = 0", place.job, place.run).length > 0;
  }

  /** Nobody waits for a key that has room. */
  #checkBlocked(): void {
    for (const { key, job } of this.#all<{ key: string; job: number }>(
      "SELECT key, job FROM blocked b WHERE (rank, job) = (SELECT rank, job FROM blocked f WHERE f.key = b.key ORDER BY rank, job LIMIT 1)",
    )) {
      const holders = this.#all("SELECT 1 FROM holder WHERE key = ?", key).length;
      if (holders < this.#limit(job, key))
        this.#say(`job ${job} waits for the key ${key}, which has room: ${holders} of ${this.#limit(job, key)}`);
    }
  }

  #limit(job: number, key: string): number {
    return this.#jobs.get(job)?.keys.find((need) => need.key === key)?.limit ?? 0;
  }

  /** A lease belongs to a worker that has not stopped and covers at least one unfinished job. */
  #checkLeases(): void {
    this.#none(
      "a lease of a worker that is gone",
      "SELECT l.epoch, l.worker, w.stopped FROM lease l LEFT JOIN worker w ON w.id = l.worker WHERE w.id IS NULL OR w.stopped IS NOT NULL",
    );
    for (const { epoch, jobs } of this.#leases)
      if (jobs.every(([job, run]) => this.#done.has(`${job}/${run}`)))
        this.#say(`lease ${epoch} covers nothing that is unfinished: ${JSON.stringify(jobs)}`);
  }

  #checkOrphans(): void {
    const tables: Readonly<Record<string, string>> = {
      ...{ ready: "job", delayed: "job", blocked: "job", holder: "job", done: "job", history: "job" },
      ...{ progress: "job", cancel_request: "job", metadata: "job", effect: "job", manifest: "job", expiry: "job" },
      ...{ record: "job", waiting: "job", wait: "job", consumed: "job" },
      ...{ child: "parent" },
    };
    for (const [table, column] of Object.entries(tables))
      this.#none(
        `a row of ${table} without its job`,
        `SELECT * FROM ${table} t WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.id = t.${column})`,
      );
    for (const table of ["queue", "rules", "actor"])
      this.#none(
        `a job without its ${table}`,
        `SELECT id, ${table} FROM job j WHERE NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.id = j.${table})`,
      );
    this.#none(
      "an effect of a run that has ended",
      "SELECT e.job, e.run FROM effect e JOIN done d ON d.job = e.job AND d.run = e.run",
    );
    this.#none(
      "metadata that its job does not have",
      "SELECT m.* FROM metadata m JOIN job j ON j.id = m.job WHERE (SELECT value FROM json_each(j.env, '$.metadata') WHERE key = m.key) IS NOT m.value",
    );
  }

  /** What waits is open in its record, and nothing waits that has ended; each event is given once, each position recorded once. */
  #checkRecords(): void {
    this.#none(
      "a wait that is not open in its record",
      "SELECT w.* FROM wait w WHERE w.position > 0 AND NOT EXISTS (SELECT 1 FROM record r WHERE r.job = w.job AND r.run = w.run AND r.position = w.position AND r.outcome IS NULL)",
    );
    this.#none(
      "a wait of a run that has ended",
      "SELECT w.* FROM wait w JOIN done d ON d.job = w.job AND d.run = w.run",
    );
    this.#none(
      "an open call of an unfinished run that waits for nothing",
      "SELECT r.job, r.run, r.position FROM record r WHERE r.outcome IS NULL AND NOT EXISTS (SELECT 1 FROM wait w WHERE w.job = r.job AND w.run = r.run AND w.position = r.position) AND NOT EXISTS (SELECT 1 FROM done d WHERE d.job = r.job AND d.run = r.run)",
    );
    this.#none(
      "a suspended run that waits for nothing",
      "SELECT s.job FROM waiting s WHERE s.woken IS NULL AND NOT EXISTS (SELECT 1 FROM wait w WHERE w.job = s.job AND w.run = s.run)",
    );
    this.#none(
      "a wait for a child that has ended",
      "SELECT w.job, w.child FROM wait w JOIN done d ON d.job = w.child AND d.run = (SELECT max(run) FROM done n WHERE n.job = d.job) WHERE NOT EXISTS (SELECT 1 FROM history h WHERE h.job = d.job AND h.run = d.run + 1 AND h.event = 'run.started')",
    );
  }

  /** What waits for people waits for a question that is open, and no question outlives its run. */
  #checkApprovals(): void {
    this.#none(
      "a job that waits for leave which nobody can give any more",
      "SELECT w.job, w.run, a.state FROM wait w LEFT JOIN approval a ON a.id = w.approval AND a.job = w.job AND a.run = w.run AND a.position = w.position WHERE w.approval IS NOT NULL AND w.decided IS NULL AND coalesce(a.state, '') <> 'pending'",
    );
    this.#none(
      "an open approval of a run that has ended",
      "SELECT a.id, a.job, a.run FROM approval a JOIN done d ON d.job = a.job AND d.run = a.run WHERE a.state = 'pending' OR (a.state = 'approved' AND a.used IS NULL)",
    );
    this.#none(
      "a decision about an approval that is gone",
      "SELECT d.approval FROM decision d WHERE d.approval NOT IN (SELECT id FROM approval)",
    );
    this.#none(
      "an approval of a job that is gone",
      "SELECT a.id, a.job FROM approval a WHERE a.job NOT IN (SELECT id FROM job)",
    );
    this.#none(
      "an approval that was used and is not approved",
      "SELECT id, state FROM approval WHERE used IS NOT NULL AND state <> 'approved'",
    );
  }

  #checkHistory(): void {
    this.#none(
      "the history of a run has a gap",
      "SELECT job, run, count(*) AS rows, max(seq) AS newest FROM history GROUP BY job, run HAVING count(*) <> max(seq)",
    );
    for (const place of this.#live.values())
      if (place.run > 1 && !this.#started(place)) this.#say(`run ${place.run} of job ${place.job} was never started`);
  }

  #started({ job, run }: Place): boolean {
    return this.#all("SELECT 1 FROM history WHERE job = ? AND run = ? AND event = 'run.started'", job, run).length > 0;
  }

  #checkEnds(): void {
    this.#none("an end without a result", "SELECT job, run FROM done WHERE state = 'completed' AND result IS NULL");
    this.#none("an end without an error", "SELECT job, run FROM done WHERE state <> 'completed' AND error IS NULL");
    this.#none(
      "an end with more failures and crashes than attempts",
      "SELECT job, run, attempt, failures, crashes FROM done WHERE failures + crashes > attempt",
    );
    this.#none(
      "an end before its claim",
      "SELECT job, run, claimed, finished FROM done WHERE claimed IS NOT NULL AND finished < claimed",
    );
    // The due time of a job that was started over is that of its newest run.
    for (const { job, claimed, due } of this.#all<{ job: number; claimed: number; due: number }>(
      "SELECT d.job, d.claimed, j.due FROM done d JOIN job j ON j.id = d.job WHERE d.claimed < j.due AND d.run = (SELECT max(run) FROM done n WHERE n.job = d.job)",
    ))
      if (!this.#live.has(job)) this.#say(`job ${job} was claimed at ${claimed}, before it was due at ${due}`);
    this.#none(
      "an outcome that does not go with its state",
      "SELECT job, state, outcome FROM done WHERE outcome IS NOT NULL AND (outcome || ' ' || state) NOT IN ('skipped completed', 'partial failed', 'unknown failed', 'blocked failed', 'step_limit failed', 'stopped cancelled')",
    );
  }
}

/** Let in: it holds its keys. What is held back although it is due was let in before. */
function isAdmitted(place: Place | undefined): boolean {
  if (place === undefined || place.place === "blocked") return false;
  return place.place !== "delayed" || !["due", "retry"].includes(place.reason ?? "");
}

function describe(place: Place | undefined): string {
  return place === undefined ? "no place (it has ended)" : `${place.place} ${place.reason ?? ""}`;
}
