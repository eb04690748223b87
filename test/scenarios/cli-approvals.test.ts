import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { AGENT, askFor, ownKey, refused, writePolicy } from "../support/approval-bench.ts";
import { CliFolder, pairsOf } from "../support/cli.ts";
import { makePlainKey, signPlainly } from "../support/plain-key.ts";
import { needs } from "../support/system.ts";

needs("ssh");

const BY_ANNA = "{ by: [anna@example.com] }";

/** A folder whose policy has one approver, whose key is this account's. */
function annasFolder(approval = BY_ANNA): CliFolder {
  const cli = new CliFolder();
  writePolicy(cli, [{ principal: "anna@example.com", key: ownKey(cli).publicKey }], approval);
  return cli;
}

describe("a job that needs an approval", () => {
  test("waits, is shown in full, is approved by a signature, runs once by it, and that is then used", async () => {
    await using cli = annasFolder();
    const enqueued = await cli.call(["jobs", "enqueue", "--type", "exec", "--", "sh", "-c", "echo ran >> out"], AGENT);
    expect(enqueued.status).toBe(0);
    const { approval_id: id = "", job_id: jobId = "", state } = pairsOf(enqueued.stdout.trim());
    expect(state).toBe("waiting");
    expect(enqueued.stderr).toContain(`windlass approvals approve ${id}`);
    const worker = await cli.worker();
    expect((await cli.call(["approvals", "list"])).stdout).toMatch(
      new RegExp(
        `^approval_id=${id} kind=job job_id=${jobId} state=pending level=advisory title="exec for agent:codex: sh -c echo ran >> out" asked_by=agent:codex `,
      ),
    );
    expect((await cli.call(["approvals", "list", "--pending"])).stdout).toContain(`approval_id=${id} `);
    const { value: shown } = await cli.json(["approvals", "show", id]);
    expect(shown).toMatchObject({
      details: { type: "exec", input: { argv: ["sh", "-c", "echo ran >> out"] } },
      approvers: ["anna@example.com"],
      quorum: 1,
      rule: "agents-ask",
      judgement: "pending",
      decisions: [],
    });
    expect(existsSync(join(cli.path, "out"))).toBe(false);
    const args = ["approvals", "approve", id, "--reason", "go on", "--digest", String(shown["digest"])];
    const approved = await cli.call(args);
    expect(approved, approved.stderr).toMatchObject({ status: 0 });
    expect(pairsOf(approved.stdout)).toMatchObject({ decision: "approved", state: "approved", level: "advisory" });
    expect(approved.stderr).toMatch(new RegExp(`signing as anna@example.com.* digest=${String(shown["digest"])}`));
    expect((await cli.call(["jobs", "wait", jobId])).status).toBe(0);
    expect(readFileSync(join(cli.path, "out"), "utf8")).toBe("ran\n");
    expect((await cli.json(["approvals", "show", id])).value).toMatchObject({
      state: "approved",
      judgement: "approved",
      used_at: expect.stringMatching(/Z$/),
      decisions: [{ principal: "anna@example.com", reason: "go on", counts: true, level: "advisory", error: null }],
    });
    expect(await refused(cli, ["approvals", "revoke", id], [1, "APPROVAL_USED"])).toContain("jobs cancel");
    expect((await cli.call(["jobs", "logs", jobId])).stdout).toMatch(
      /event=approval\.used .* by=anna@example\.com( |\n)/,
    );
    expect((await cli.call(["approvals", "list", "--pending"])).stdout).toBe("");
    expect((await cli.call(["approvals", "list"])).stdout).toBe("");
    expect((await cli.call(["approvals", "list", "--state", "all"])).stdout).toContain("state=approved");
    worker.kill("SIGTERM");
    await worker.ended;
  });

  test("is shown with all of its input, also where that is too long for the question itself", async () => {
    await using cli = annasFolder();
    const input = { argv: ["true", "x".repeat(300_000)] };
    writeFileSync(join(cli.path, "long.json"), JSON.stringify(input));
    const enqueued = await cli.call(["jobs", "enqueue", "--type", "exec", "--input-json", "@long.json"], AGENT);
    const { approval_id: id = "" } = pairsOf(enqueued.stdout.trim());
    const { value } = await cli.json(["approvals", "show", id]);
    expect(value).toMatchObject({ details: { input_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }, input });
  });

  test("that is rejected fails at once, and nothing can be said to it any more", async () => {
    await using cli = annasFolder();
    const { jobId, approvalId } = await askFor(cli, "touch", "out");
    const rejected = await cli.call(["approvals", "reject", approvalId, "--reason", "not today"]);
    expect(rejected, rejected.stderr).toMatchObject({ status: 0 });
    expect((await cli.json(["jobs", "status", jobId])).value).toMatchObject({
      state: "failed",
      error: expect.stringMatching(/^APPROVAL_REJECTED: anna@example.com rejected it .*not today/),
    });
    for (const verb of ["approve", "reject", "revoke"])
      await refused(cli, ["approvals", verb, approvalId], [1, "APPROVAL_CLOSED"]);
  });

  test("is run by `run` itself when leave comes", async () => {
    await using cli = annasFolder();
    const running = cli.start(["run", "exec", "--", "echo", "hi"], AGENT);
    await running.says("windlass approvals approve");
    const { value } = await cli.json<{ approvals: { approval_id: string }[] }>(["approvals", "list"]);
    await cli.call(["approvals", "approve", value.approvals[0]?.approval_id ?? ""]);
    expect(await running.ended).toMatchObject({ status: 0, stdout: "hi\n" });
  });

  test("that was approved and is taken back before a worker came fails", async () => {
    await using cli = annasFolder();
    const { jobId, approvalId } = await askFor(cli, "touch", "out");
    await refused(cli, ["approvals", "revoke", approvalId], [1, "APPROVAL_CLOSED"]);
    expect((await cli.call(["approvals", "approve", approvalId])).status).toBe(0);
    expect((await cli.call(["approvals", "revoke", approvalId])).status).toBe(0);
    expect((await cli.json(["jobs", "status", jobId])).value).toMatchObject({
      state: "failed",
      error: expect.stringContaining("APPROVAL_REVOKED"),
    });
  });

  test("shows a person what is asked, and lets nothing in it act on the terminal or hide", async ({ skip }) => {
    await using cli = annasFolder();
    const { approvalId } = await askFor(cli, "echo", "\u001b]0;title\u0007", "rm\u202e -rf", "a\u200bb");
    const reason = "no\n\u001b[32m✓ approved by bert";
    await cli.call(["approvals", "reject", approvalId, "--reason", reason]);
    const page = await cli.onTerminal(["approvals", "show", approvalId]);
    if (page === undefined) return skip("script is missing; install it (apt-get install bsdutils)");
    expect(page).toContain('  "input": {\n    "argv": [');
    for (const hidden of ["\u001b]", "\u202e", "\u200b"]) expect(page).not.toContain(hidden);
    for (const told of ["\\u001b]0;title", "rm\\u202e -rf", "a\\u{200b}b"]) expect(page).toContain(told);
    expect(page).toContain(": no\\n\\u001b[32m✓ approved by bert");
    expect(page).not.toMatch(/^.{0,9}✓ approved/m);
  });
});

describe("a decision is signed", () => {
  test("on another machine: the statement goes there, statement and signature come back", async () => {
    await using cli = new CliFolder();
    const elsewhere = makePlainKey(cli.path, "elsewhere");
    writePolicy(cli, [{ principal: "anna@example.com", key: elsewhere.publicKey }], BY_ANNA);
    const { approvalId } = await askFor(cli, "true");
    expect(await refused(cli, ["approvals", "approve", approvalId], [1, "APPROVER_UNKNOWN"])).toContain(
      "to sign on another machine: --print-statement",
    );
    const as = ["--as", "anna@example.com", "--reason", "seen"];
    const printed = await cli.call(["approvals", "approve", approvalId, ...as, "--print-statement"]);
    expect(printed).toMatchObject({ status: 0, stderr: "" });
    const statement = cli.write("statement", printed.stdout);
    const signature = cli.write("signature", signPlainly(elsewhere.path, printed.stdout).replaceAll("\n", "\r\n"));
    const files = ["--statement", statement, "--signature", signature];
    expect(await refused(cli, ["approvals", "reject", approvalId, ...files], [2, "USAGE"])).toContain(
      "approvals approve",
    );
    await refused(cli, ["approvals", "approve", approvalId, ...files, "--reason", "x"], [2, "USAGE"]);
    await refused(cli, ["approvals", "approve", approvalId, "--statement", statement], [2, "USAGE"]);
    expect(pairsOf((await cli.call(["approvals", "approve", approvalId, ...files])).stdout)).toMatchObject({
      decided_by: "anna@example.com",
      state: "approved",
    });
    expect(await refused(cli, ["approvals", "approve", approvalId, ...files], [1, "APPROVAL_CLOSED"])).toContain(
      "revoke",
    );
  });

  test("by the only key of ~/.ssh that the policy has, by one that --key names, or by one of the SSH agent", async () => {
    await using cli = annasFolder();
    ownKey(cli, "other", "other@example.com");
    const [first, second, third] = [await askFor(cli, "true"), await askFor(cli, "true"), await askFor(cli, "true")];
    expect((await cli.call(["approvals", "approve", first.approvalId])).status).toBe(0);
    const [key, hidden] = [join(cli.path, ".ssh/id_ed25519"), join(cli.path, "hidden")];
    // The private part alone: what is public of it stands in it.
    renameSync(key, hidden);
    expect((await cli.call(["approvals", "approve", second.approvalId, "--key", "hidden"])).status).toBe(0);
    await refused(cli, ["approvals", "approve", third.approvalId], [1, "APPROVER_UNKNOWN"]);
    const socket = join(cli.path, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    onTestFinished(async () => {
      agent.kill();
      await once(agent, "exit");
    });
    await expect.poll(() => existsSync(socket)).toBe(true);
    execFileSync("ssh-add", ["-q", hidden], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" });
    writeFileSync(hidden, "");
    const env = { SSH_AUTH_SOCK: socket };
    expect((await cli.call(["approvals", "approve", third.approvalId], { env })).status).toBe(0);
  });
});

describe("the first approver", () => {
  test("is made of the only key, in a policy that is made for it; once more changes nothing", async () => {
    await using cli = new CliFolder();
    const policy = join(cli.path, ".windlass/windlass.policy.yaml");
    expect(await refused(cli, ["approvals", "setup"], [2, "USAGE"])).toContain("ssh-keygen -t ed25519-sk");
    const { publicKey } = ownKey(cli);
    const { status, value } = await cli.json(["approvals", "setup"]);
    expect(status).toBe(0);
    expect(value).toMatchObject({ policy, change: "added", principal: "anna@example.com", lines: [] });
    expect(value["missing"]).toEqual([
      expect.stringContaining("is advisory"),
      expect.stringContaining("is a plain key"),
      expect.stringContaining("no rule of the policy asks for an approval yet"),
      expect.stringContaining("start them again"),
    ]);
    const text = readFileSync(policy, "utf8");
    expect(text).toContain(`  - { principal: "anna@example.com", key: "${publicKey}" }`);
    expect(text).toContain("# Everybody may look");
    expect((await cli.json(["approvals", "setup", "--key", ".ssh/id_ed25519.pub"])).value["change"]).toBe("none");
    await refused(cli, ["approvals", "setup", "--principal", "bert"], [2, "USAGE"]);
    expect(readFileSync(policy, "utf8")).toBe(text);
    expect((await cli.call(["policy", "test"])).status).toBe(0);
  });

  test("is asked for where there are several keys; a second one is put behind the first", async () => {
    await using cli = new CliFolder();
    const [one, two] = [ownKey(cli), ownKey(cli, "id_two", "no principal")];
    expect(await refused(cli, ["approvals", "setup"], [2, "USAGE"])).toMatch(/there are 2 SSH keys: .*--key/);
    for (const { path } of [one, two])
      expect((await cli.json(["approvals", "setup", "--key", path])).value["change"]).toBe("added");
    const entries = readFileSync(join(cli.path, ".windlass/windlass.policy.yaml"), "utf8").match(
      /^ {2}- \{ principal.*/gm,
    );
    expect(entries?.map((line) => /"([^"]+)"/.exec(line)?.[1])).toEqual([
      "anna@example.com",
      expect.stringMatching(/@/),
    ]);
  });

  test("is never made by an agent", async () => {
    await using cli = new CliFolder();
    ownKey(cli);
    await refused(cli, ["approvals", "setup"], [1, "APPROVAL_BY_AGENT"], AGENT);
    expect(existsSync(join(cli.path, ".windlass/windlass.policy.yaml"))).toBe(false);
  });
});
