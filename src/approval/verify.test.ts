import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { ANY_TERMS, ASKED_MS, approvalOf, decided, policyWith } from "../../test/support/approvals.ts";
import { makePlainKey, type PlainKey, signPlainly } from "../../test/support/plain-key.ts";
import { SoftwareAuthenticator } from "../../test/support/software-authenticator.ts";
import { lacks, needs } from "../../test/support/system.ts";
import type { Approver } from "../policy/policy.ts";
import type { Approval, ApprovalTerms, SignedDecision } from "./approval.ts";
import type { Judgement } from "./judgement.ts";
import { signStatement } from "./ssh-keygen.ts";
import { judgeApproval } from "./verify.ts";

const approval = approvalOf();
const NOW_MS = ASKED_MS + 7_200_000;
const HOUR_MS = 3_600_000;

let folder = "";
let anna: PlainKey;
let bert: PlainKey;
const token = new SoftwareAuthenticator();
beforeAll(() => {
  if (lacks("ssh") !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), "windlass-verify-"));
  anna = makePlainKey(folder, "anna");
  bert = makePlainKey(folder, "bert");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
needs("ssh");

const byAnna = (text: string): string => signPlainly(anna.path, text);
const byToken = (text: string): string => token.sign(text);
const approvers = (...more: Approver[]): Approver[] => [
  { principal: "anna", key: anna.publicKey },
  { principal: "bert", key: bert.publicKey },
  { principal: "ops", key: token.publicKey },
  ...more,
];

function judged(
  decisions: readonly SignedDecision[],
  more: {
    readonly approval?: Approval;
    readonly terms?: Partial<ApprovalTerms>;
    readonly inForce?: ReturnType<typeof policyWith>;
    readonly nowMs?: number;
  } = {},
): Promise<Judgement> {
  const { inForce = policyWith(approvers()), nowMs = NOW_MS } = more;
  return judgeApproval({ ...(more.approval ?? approval), decisions }, { ...ANY_TERMS, ...more.terms }, inForce, nowMs);
}

async function refusal(...given: Parameters<typeof judged>): Promise<string> {
  const judgement = await judged(...given);
  expect(judgement.kind).toBe("pending");
  const [{ code, message } = { code: "", message: "" }] = judgement.refusals;
  return `${code}: ${message}`;
}

describe("a decision counts", () => {
  test("that a plain key of the policy signed: advisory, and why", async () => {
    const made = decided(approval, "anna", byAnna, { reason: "go on" });
    expect(await judged([made])).toEqual({
      kind: "approved",
      decidedBy: ["anna"],
      reason: "go on",
      decidedAtMs: made.decidedAtMs,
      level: "advisory",
      reasons: [expect.stringMatching(/^the key of anna is a plain one; use a security key/)],
      refusals: [],
    });
  });

  test("that a security key signed when it was touched: enforced where the policy is", async () => {
    const made = decided(approval, "ops", byToken);
    expect(await judged([made], { terms: { level: "enforced" } })).toMatchObject({
      kind: "approved",
      level: "enforced",
    });
    expect(await judged([made], { inForce: policyWith(approvers(), "advisory") })).toMatchObject({
      level: "advisory",
      reasons: ["the policy is advisory: root, who asks, can change every file"],
    });
  });

  test("that a plain key signed of which the policy says that no asker can read it: enforced", async () => {
    const inForce = policyWith([{ principal: "anna", key: anna.publicKey, level: "enforced" }]);
    expect(await judged([decided(approval, "anna", byAnna)], { inForce })).toMatchObject({ level: "enforced" });
  });

  test("by any key of a principal who has several", async () => {
    const inForce = policyWith(approvers({ principal: "anna", key: token.publicKey }));
    for (const sign of [byAnna, byToken])
      expect((await judged([decided(approval, "anna", sign)], { inForce })).kind).toBe("approved");
    const both = [decided(approval, "anna", byAnna), decided(approval, "anna", byToken)];
    expect((await judged(both, { inForce, terms: { quorum: 2 } })).kind).toBe("pending");
  });

  test("that was made while the key counted", async () => {
    const until = (untilMs: number) => ({ inForce: policyWith([{ principal: "anna", key: anna.publicKey, untilMs }]) });
    const made = decided(approval, "anna", byAnna);
    expect((await judged([made], until(made.decidedAtMs))).kind).toBe("approved");
    expect(await refusal([made], until(made.decidedAtMs - 1))).toMatch(
      /^APPROVAL_SIGNATURE: .* counts until 2026-11-21T12:59:59.999Z/,
    );
  });

  test("though its comment, its line endings or its words are unusual", async () => {
    const made = decided(approval, "anna", byAnna, { reason: 'a "quoted"\nline\u2028\ud83d\ude00\u001b[31m' });
    expect((await judged([{ ...made, signature: made.signature.replaceAll("\n", "\r\n") }])).kind).toBe("approved");
  });

  test("of two where two are asked for", async () => {
    const two = [decided(approval, "anna", byAnna), decided(approval, "ops", byToken)];
    expect((await judged(two, { terms: { quorum: 2, approvers: ["anna", "ops"] } })).kind).toBe("approved");
    expect((await judged(two, { terms: { quorum: 3 } })).kind).toBe("pending");
  });
});

describe("a decision does not count", () => {
  test("that nobody of the policy signed", async () => {
    expect(await refusal([decided(approval, "carl", byAnna)])).toBe(
      "APPROVER_UNKNOWN: carl is no principal under approvers: in /etc/windlass/policy.yaml; there are anna, bert, ops",
    );
    expect(
      await refusal([decided(approval, "carl", byAnna)], { inForce: { policy: undefined, level: "advisory" } }),
    ).toMatch(/there is no file of one\); it has none$/);
    expect(await refusal([decided(approval, "anna", byAnna)], { terms: { approvers: ["ops"] } })).toBe(
      "APPROVER_UNKNOWN: anna is not asked here; ops may decide",
    );
  });

  test("that another key signed than the principal's", async () => {
    const foreign = decided(approval, "bert", byAnna);
    expect(await refusal([foreign])).toMatch(/^APPROVAL_SIGNATURE: .*another key \(ssh-ed25519\)/);
  });

  test("whose signature names the right key and is of another", async () => {
    const made = decided(approval, "anna", byAnna);
    const other = decided(approval, "anna", byAnna, { reason: "another statement" });
    expect(await refusal([{ ...made, signature: other.signature }])).toMatch(/^APPROVAL_SIGNATURE: .*does not fit/);
  });

  test("that was signed for something else than approvals", async () => {
    const elsewhere = decided(approval, "anna", (text) => signPlainly(anna.path, text, "file"));
    expect(await refusal([elsewhere])).toMatch(
      /^APPROVAL_SIGNATURE: .*was made for "file"; sign with -n windlass-approval/,
    );
    expect(await refusal([decided(approval, "anna", () => "signed, anna")])).toMatch(/^APPROVAL_SIGNATURE: .*is none/);
  });

  test("about another question, run or detail; or that was changed in the record", async () => {
    const made = decided(approval, "anna", byAnna);
    const { subject } = approval;
    for (const change of [
      { subject: { ...subject, details: { type: "exec", input: { argv: ["rm", "-rf", "/"] } } } },
      { subject: { ...subject, runNumber: 2 } },
      { approvalId: "01933b5e-7c00-7000-8000-0123456789ac" },
      { expiresAtMs: approval.expiresAtMs + HOUR_MS },
    ])
      expect(await refusal([made], { approval: approvalOf(change) })).toMatch(/^APPROVAL_ALTERED/);
    for (const change of [
      { principal: "bert" },
      { reason: "x" },
      { decidedAtMs: made.decidedAtMs + 1 },
      { statement: `${made.statement}\n` },
      { statement: made.statement.replace("codex", "other") },
    ])
      expect(await refusal([{ ...made, ...change }])).toMatch(/^APPROVAL_ALTERED/);
    const rejected = decided(approval, "anna", byAnna, { decision: "rejected" });
    expect(await refusal([{ ...rejected, decision: "approved" }])).toMatch(/^APPROVAL_ALTERED/);
  });

  test("that was made before the question or after its end", async () => {
    const at = (decidedAtMs: number) => [decided(approval, "anna", byAnna, { decidedAtMs })];
    expect((await judged(at(ASKED_MS - 5 * 60_000))).kind).toBe("approved");
    expect(await refusal(at(ASKED_MS - 5 * 60_000 - 1))).toMatch(/^APPROVAL_EXPIRED: .* before agent:codex asked/);
    expect(await refusal(at(approval.expiresAtMs + 1))).toMatch(/^APPROVAL_EXPIRED: .* it could be decided until/);
  });

  test("of whoever asked, where askers are known by the names of principals", async () => {
    const own = approvalOf({ askedBy: { kind: "person", name: "anna", via: "http" } });
    expect(await refusal([decided(own, "anna", byAnna)], { approval: own })).toMatch(/^APPROVAL_SELF_GIVEN/);
    const cli = approvalOf({ askedBy: { kind: "person", name: "anna", via: "cli" } });
    expect((await judged([decided(cli, "anna", byAnna)], { approval: cli })).kind).toBe("approved");
  });

  test("by a security key that was not touched, or a plain key, where an enforced one is asked for", async () => {
    const strict = { terms: { level: "enforced" } } as const;
    const untouched = decided(approval, "ops", (text) => token.sign(text, { touched: false }));
    expect(await refusal([untouched], strict)).toMatch(/^APPROVAL_LEVEL: .*was not touched/);
    expect((await judged([untouched])).kind).toBe("approved");
    expect(await refusal([decided(approval, "anna", byAnna)], strict)).toMatch(/^APPROVAL_LEVEL: .*plain one/);
    const advisory = { ...strict, inForce: policyWith(approvers(), "advisory") };
    expect(await refusal([decided(approval, "ops", byToken)], advisory)).toMatch(
      /^APPROVAL_LEVEL: .*the policy is advisory/,
    );
  });

  test("whose touch was written into the signature afterwards", async () => {
    const untouched = decided(approval, "ops", (text) => token.sign(text, { touched: false }));
    const bytes = Buffer.from(untouched.signature.replace(/-----.*-----|\n/g, ""), "base64");
    bytes[bytes.length - 5] = 1;
    const signature = `-----BEGIN SSH SIGNATURE-----\n${bytes.toString("base64")}\n-----END SSH SIGNATURE-----\n`;
    expect(await refusal([{ ...untouched, signature }])).toMatch(/^APPROVAL_SIGNATURE: .*does not fit/);
  });
});

test("one no is a veto, whoever else approved, and stays one", async () => {
  const both = [
    decided(approval, "anna", byAnna),
    decided(approval, "bert", (text) => signPlainly(bert.path, text), { decision: "rejected", reason: "not today" }),
  ];
  expect(await judged(both)).toMatchObject({ kind: "rejected", decidedBy: ["bert"], reason: "not today" });
  expect(await judged(both, { nowMs: approval.expiresAtMs + 1 })).toMatchObject({ kind: "rejected" });
});

describe("with ssh-keygen", () => {
  /** What stands in front of the real one on PATH. */
  function instead(script: string | undefined): void {
    const path = mkdtempSync(join(tmpdir(), "windlass-path-"));
    onTestFinished(() => {
      vi.unstubAllEnvs();
      rmSync(path, { recursive: true });
    });
    if (script !== undefined) writeFileSync(join(path, "ssh-keygen"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    vi.stubEnv("PATH", script === undefined ? path : [path, process.env["PATH"]].join(delimiter));
  }

  test("what was verified once is not verified again, and what was not is", async () => {
    const made = decided(approval, "anna", byAnna, { reason: "seen before" });
    const wrong = { ...made, signature: decided(approval, "anna", byAnna).signature };
    expect((await judged([made])).kind).toBe("approved");
    expect((await judged([wrong])).kind).toBe("pending");
    instead(undefined);
    expect((await judged([made])).kind).toBe("approved");
    await expect(judged([wrong])).rejects.toMatchObject({ code: "PREREQUISITE_MISSING" });
    expect((await judged([made], { inForce: policyWith([]) })).kind).toBe("pending");
  });

  test("missing, the judgement fails and says what to install", async () => {
    instead(undefined);
    await expect(judged([decided(approval, "ops", byToken)])).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringContaining("install openssh-client"),
    });
  });

  test.for([
    ["is killed", "kill -KILL $$", "ended by a signal"],
    ["lacks a library", "echo no libcrypto >&2; exit 127", "ended with 127 (no libcrypto)"],
  ])("that %s, nothing is said of the signature", async ([, script = "", said]) => {
    const made = decided(approval, "anna", byAnna, { reason: script });
    instead(script);
    await expect(judged([made])).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringContaining(said ?? ""),
    });
  });

  test("on a machine without room for its files, nothing is said of the signature", async () => {
    const made = decided(approval, "anna", byAnna, { reason: "no room" });
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("TMPDIR", join(tmpdir(), "windlass-none"));
    await expect(judged([made])).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringContaining("mkdtemp said ENOENT"),
    });
  });

  test("that leaves what cannot be removed, its answer counts", async ({ skip }) => {
    const temporary = mkdtempSync(join(tmpdir(), "windlass-kept-"));
    onTestFinished(() => {
      for (const name of readdirSync(temporary)) loosen(join(temporary, name));
      rmSync(temporary, { recursive: true });
    });
    if (isRoot && !mayMount(temporary)) return skip("needs the right to mount: run as root on Linux");
    instead(`for it in "$TMPDIR"/*; do ${isRoot ? `mount --bind "$it" "$it"` : `chmod 500 "$it"`}; done
exec /usr/bin/ssh-keygen "$@"`);
    vi.stubEnv("TMPDIR", temporary);
    expect((await judged([decided(approval, "anna", byAnna, { reason: "kept" })])).kind).toBe("approved");
    expect(readdirSync(temporary)).toHaveLength(1);
  });

  test("that nobody waits for any more, it is ended and leaves nothing behind", async () => {
    instead("exec sleep 60");
    const temporary = mkdtempSync(join(tmpdir(), "windlass-empty-"));
    onTestFinished(() => rmSync(temporary, { recursive: true }));
    vi.stubEnv("TMPDIR", temporary);
    const stop = new AbortController();
    const asked = judgeApproval(
      { ...approval, decisions: [decided(approval, "ops", byToken)] },
      ANY_TERMS,
      policyWith(approvers()),
      NOW_MS,
      { signal: stop.signal },
    );
    stop.abort();
    await expect(asked).rejects.toMatchObject({ code: "CANCELLED" });
    expect(readdirSync(temporary)).toEqual([]);
  });

  test("a statement is signed by the file of a key; what is none is told", async () => {
    const { statement } = decided(approval, "anna", byAnna);
    const signature = await signStatement(statement, anna.path);
    expect((await judged([{ ...decided(approval, "anna", byAnna), signature }])).kind).toBe("approved");
    await expect(signStatement(statement, join(folder, "none"))).rejects.toMatchObject({
      code: "APPROVAL_SIGNATURE",
      message: expect.stringContaining(`with ${join(folder, "none")}: `),
    });
    chmodSync(anna.path, 0o644);
    await expect(signStatement(statement, anna.path)).rejects.toMatchObject({ code: "APPROVAL_SIGNATURE" });
    chmodSync(anna.path, 0o600);
  });
});

/** No mode keeps root from removing a folder, but what is mounted there does. */
const isRoot = process.getuid?.() === 0;

function mayMount(folder: string): boolean {
  try {
    execFileSync("mount", ["--bind", folder, folder], { stdio: "ignore" });
  } catch {
    return false;
  }
  execFileSync("umount", [folder]);
  return true;
}

function loosen(folder: string): void {
  if (isRoot) execFileSync("umount", [folder]);
  else chmodSync(folder, 0o700);
}
