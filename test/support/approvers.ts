import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Approval, Decision, SignedDecision } from "../../src/approval/approval.ts";
import { makeStatement, signedDecision, statementText } from "../../src/approval/statement.ts";
import type { DecideResult } from "../../src/backend/approvals.ts";
import { makePlainKey, type PlainKey, signPlainly } from "./plain-key.ts";
import type { Bench } from "./test.ts";

/** What somebody says, beside who says it. */
export interface Saying {
  readonly decision?: Decision;
  readonly reason?: string;
  /** Default: now. */
  readonly decidedAtMs?: number;
  /** Whose key signs. Default: that of whoever decides. */
  readonly keyOf?: string;
}

/** People with real keys, and the policies that name them. */
export class Approvers implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "windlass-approvers-"));
  readonly #keys = new Map<string, PlainKey>();
  #policies = 0;

  constructor(...names: readonly string[]) {
    for (const name of names) this.#keys.set(name, makePlainKey(this.folder, name, name));
  }

  /**
   * A policy file, as a setting of a bench.
   *
   * @param rules default: everything is allowed.
   * @param names who stands in it; default: all.
   */
  policy(
    rules: readonly string[] = ["name: all, allow: true"],
    names: readonly string[] = [...this.#keys.keys()],
  ): { readonly policy: string } {
    const path = join(this.folder, `policy${++this.#policies}.yaml`);
    const approvers = names.map((name) => `  - { principal: ${name}, key: "${this.#key(name).publicKey}" }\n`);
    writeFileSync(
      path,
      `version: 1\napprovers:\n${approvers.join("")}rules:\n${rules.map((rule) => `  - { ${rule} }\n`).join("")}`,
    );
    return { policy: path };
  }

  /** What somebody signs about an approval. */
  sign(approval: Approval, principal: string, nowMs: number, saying: Saying = {}): SignedDecision {
    const { decision = "approved", reason = "", decidedAtMs = nowMs, keyOf = principal } = saying;
    const statement = makeStatement(approval, { principal, decision, reason, decidedAtMs, policyDigest: null });
    return signedDecision(statement, signPlainly(this.#key(keyOf).path, statementText(statement)));
  }

  /** Somebody decides. */
  async decide(bench: Bench, approvalId: string, principal: string, saying: Saying = {}): Promise<DecideResult> {
    const { approvals } = bench.backend;
    const approval = await approvals.find(approvalId);
    if (approval === undefined) throw new Error(`there is no approval ${approvalId}`);
    return approvals.decide(approvalId, this.sign(approval, principal, bench.windlass.clock.now(), saying));
  }

  /** {@link decide} for one approval. */
  deciding(bench: Bench, approvalId: string) {
    return (principal: string, saying?: Saying) => this.decide(bench, approvalId, principal, saying);
  }

  #key(name: string): PlainKey {
    const key = this.#keys.get(name);
    if (key === undefined) throw new Error(`nobody is called ${name}`);
    return key;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The one approval that a job waits for. */
export async function pendingOf(bench: Bench, jobId: string): Promise<Approval> {
  const { approvals } = await bench.backend.approvals.list({ jobId, state: "pending", limit: 10 });
  const [only, other] = approvals;
  if (only === undefined || other !== undefined) throw new Error(`job ${jobId} has ${approvals.length} open approvals`);
  return only;
}

/** The questions of a job that runs, in the order of their positions, as soon as there are so many. */
export async function questions(bench: Bench, jobId: string, count: number) {
  for (;;) {
    const { approvals } = await bench.backend.approvals.list({ jobId, limit: 9 });
    if (approvals.length >= count) return approvals.toSorted((a, b) => a.subject.position - b.subject.position);
    await new Promise(setImmediate);
  }
}
