import { chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { test as base, beforeEach, vi } from "vitest";
import type { RunningCli } from "./cli.ts";
import { makePlainKey, type PlainKey, signPlainly } from "./plain-key.ts";
import { lacksAccounts, RootPolicy } from "./root-policy.ts";
import { needs } from "./system.ts";
import { until } from "./until.ts";

/** The account of an agent that has the shell of its operator, the worker's, and the one that keeps the approver's key. */
export const [AGENT, WORKER, KEEPER] = [4711, 4712, 4713];
export const AS_AGENT = { env: { WINDLASS_ACTOR: "agent:codex" } };
/** Their key lies with {@link KEEPER}, and the policy says so. */
export const OPS = "ops@example.com";
/** Their plain key lies with {@link AGENT}. */
export const ANNA = "anna@example.com";

const SOURCE = new URL("../../src/", import.meta.url);
export const FORGER = fileURLToPath(new URL("forger.ts", import.meta.url));
const FORGE_ROWS = fileURLToPath(new URL("forge-rows.ts", import.meta.url));
const JOBS = `
import { appendFileSync } from "node:fs";
import { z } from "${new URL("../node_modules/zod/index.js", SOURCE).href}";
import { defineDurableJob } from "${new URL("job/durable/define-durable-job.ts", SOURCE).href}";
export const deploy = defineDurableJob({
  name: "app.deploy",
  input: z.strictObject({ to: z.string() }),
  run: async ({ to }, ctx) => {
    const { decision } = await ctx.approve({ title: "deploy", details: { to }, level: "enforced" });
    await ctx.step("deploy", () => appendFileSync(to, decision + "\\n"));
    return decision;
  },
});
`;

/** A job of the agent that waits for leave. */
export interface Asked {
  readonly jobId: string;
  readonly approvalId: string;
  /** The file that the job would make. */
  readonly trace: string;
}

/** Where a job stands. */
export interface Standing {
  readonly state: string;
  readonly error: string | null;
  /** Why decisions did not count, as its history says. */
  readonly refused: readonly string[];
  /** Its file is there. */
  readonly ran: boolean;
}

/** A job whose approval nobody gave. */
export const STILL_WAITS: Standing = { state: "waiting", error: null, refused: [], ran: false };

type Row = Readonly<Record<string, string | number | null>>;

/** A machine whose root's policy asks for an enforced approval of every exec, whoever asks; and a worker that runs. */
export class DecisionPlace extends RootPolicy {
  readonly operator = this.#makeKey(AGENT);
  readonly keeper = this.#makeKey(KEEPER);
  #worker: RunningCli | undefined;
  #asked = 0;

  static async open(): Promise<DecisionPlace> {
    const place = new DecisionPlace();
    place.writePolicy(place.rules(place.keeper));
    const made = await place.call(WORKER, ["db", "migrate"]);
    if (made.status !== 0) throw new Error(made.stderr);
    place.shareDatabase();
    await place.startWorker();
    return place;
  }

  /** The rules, with a key for the approver whose word is enough. */
  rules(ops: PlainKey): string {
    return `version: 1
approvers:
  - { principal: ${OPS}, key: "${ops.publicKey}", level: enforced }
  - { principal: ${ANNA}, key: "${this.operator.publicKey}" }
rules:
  - { name: probe, types: [exec], argv: ["${process.execPath}", "${FORGER}"], allow: true }
  - { name: ask, types: [exec], approval: { by: [${OPS}, ${ANNA}], level: enforced, expires: 1h } }
  - { name: rest, allow: true }
`;
  }

  async startWorker(): Promise<void> {
    const jobs = this.give(WORKER, "jobs.ts", JOBS);
    this.#worker = await this.worker(WORKER, ["--jobs", jobs], { env: { WINDLASS_WORKER_TICK: "100ms" } });
  }

  async stopWorker(): Promise<void> {
    this.#worker?.kill("SIGTERM");
    await this.#worker?.ended;
  }

  /** Does something while the worker stands still. */
  async whileWorkerHalts(act: () => Promise<void>): Promise<void> {
    this.#worker?.kill("SIGSTOP");
    try {
      await act();
    } finally {
      this.#worker?.kill("SIGCONT");
    }
  }

  /** The agent asks for a job, which waits for leave: as a whole, or at a call of its code. */
  async ask(type: "exec" | "app.deploy" = "exec"): Promise<Asked> {
    const trace = join(this.folder, "work", `ran-${++this.#asked}`);
    const input = type === "exec" ? { argv: ["touch", trace] } : { to: trace };
    const args = ["jobs", "enqueue", "--type", type, "--input-json", JSON.stringify(input)];
    const { value, stderr } = await this.json(AGENT, args, AS_AGENT);
    const approvalId = await until(() => this.pendingFor(trace), { what: `an approval for ${trace}: ${stderr}` });
    return { jobId: String(value["job_id"]), approvalId, trace };
  }

  /** What is asked now about the job that would make a file. */
  pendingFor(trace: string): string | undefined {
    const sql = "SELECT id FROM approval WHERE state = 'pending' AND instr(details, ?) > 0";
    return this.rows(sql, JSON.stringify(trace))[0]?.["id"]?.toString();
  }

  /** The keeper of the key says yes. */
  async approve({ approvalId }: Asked): Promise<void> {
    const { status, stderr } = await this.call(KEEPER, ["approvals", "approve", approvalId]);
    if (status !== 0) throw new Error(stderr);
  }

  /** The statement that an approver would sign, and what some key makes of it. */
  async signed({ approvalId }: Asked, principal: string, key: PlainKey) {
    const args = ["approvals", "approve", approvalId, "--as", principal, "--print-statement"];
    const { stdout, stderr } = await this.call(AGENT, args);
    if (!stdout.includes(approvalId)) throw new Error(stderr);
    return { statement: stdout, signature: signPlainly(key.path, stdout) };
  }

  /** Writes rows under the agent's account; see `forgeRows`. */
  async forge({ approvalId }: Asked, statements: readonly string[]): Promise<void> {
    const argv = [process.execPath, FORGE_ROWS, this.database, approvalId, ...statements];
    const { status, stderr } = await this.spawn(AGENT, argv).ended;
    if (status !== 0) throw new Error(stderr);
  }

  rows(sql: string, ...values: readonly string[]): readonly Row[] {
    using db = new DatabaseSync(this.database, { readOnly: true });
    return db.prepare(sql).all(...values) as Row[];
  }

  /** Where a job stands once no worker is about to take it. */
  async standing({ approvalId, trace }: Asked): Promise<Standing> {
    const of = (select: string) => this.rows(`${select} x JOIN approval a ON a.job = x.job WHERE a.id = ?`, approvalId);
    const look = (): Pick<Standing, "state" | "error"> | undefined => {
      const [ended] = of("SELECT x.state, x.error FROM done");
      if (ended !== undefined) return { state: String(ended["state"]), error: codeOf(ended["error"]) };
      return of("SELECT x.woken FROM waiting")[0]?.["woken"] === null ? { state: "waiting", error: null } : undefined;
    };
    const where = await until(look, { what: `the worker has looked: ${this.#worker?.stderr}` });
    const refusals = of("SELECT x.event, x.data FROM history").filter(({ event }) => event === "approval.refused");
    return {
      ...where,
      refused: refusals.map(({ data }) => String(codeOf(errorIn(String(data))))),
      ran: existsSync(trace),
    };
  }

  #makeKey(uid: number): PlainKey {
    const folder = join(this.home(uid), ".ssh");
    mkdirSync(folder, { mode: 0o700 });
    const key = makePlainKey(folder);
    for (const path of [folder, key.path, `${key.path}.pub`]) chownSync(path, uid, uid);
    return key;
  }
}

/** A test with such a machine, which is the same for all tests of a file. They skip where none can be made. */
export function decisionPlaceTest() {
  // Each call starts a process under another account; the machine may be busy.
  vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
  needs("ssh");
  const missing = lacksAccounts();
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
  return base.extend<{ readonly place: DecisionPlace }>({
    place: [
      // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
      async ({}, use) => {
        await using place = await DecisionPlace.open();
        await use(place);
      },
      { scope: "file" },
    ],
  });
}

function errorIn(data: string): string {
  return JSON.stringify((JSON.parse(data) as { readonly error: unknown }).error);
}

function codeOf(error: Row[string] | undefined): string | null {
  return typeof error === "string" ? String((JSON.parse(error) as { readonly code?: string }).code) : null;
}

const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** A statement that writes a decision as the engine would. */
export function decisionRow(
  principal: string,
  { statement, signature }: { statement: string; signature: string },
): string {
  const at = Date.parse((JSON.parse(statement) as { readonly decided_at: string }).decided_at);
  return `INSERT INTO decision VALUES ('A', 1, ${quoted(principal)}, 'approved', '', ${at}, ${quoted(statement)}, ${quoted(signature)})`;
}

/** A statement that copies the decisions of another approval. */
export function copiedDecisions({ approvalId }: Asked): string {
  return `INSERT INTO decision SELECT 'A', seq, principal, decision, reason, at, statement, signature FROM decision WHERE approval = ${quoted(approvalId)}`;
}
