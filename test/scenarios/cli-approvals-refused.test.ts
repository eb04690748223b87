import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AGENT, askFor, forge, ownKey, refused, writePolicy } from "../support/approval-bench.ts";
import { CliFolder, pairsOf } from "../support/cli.ts";
import { OwnPath } from "../support/own-path.ts";
import { makePlainKey, signPlainly } from "../support/plain-key.ts";
import { SoftwareAuthenticator } from "../support/software-authenticator.ts";
import { needs } from "../support/system.ts";

needs("ssh");

const NOBODY = "01900000-0000-7000-8000-000000000000";

/** Two approvers: the key of one is this account's, the other's is elsewhere. */
function folderOfTwo(approval: string) {
  const cli = new CliFolder();
  const anna = ownKey(cli);
  const bert = makePlainKey(cli.path, "bert", "bert");
  const approvers = [
    { principal: "anna@example.com", key: anna.publicKey },
    { principal: "bert", key: bert.publicKey },
  ];
  writePolicy(cli, approvers, approval);
  return { cli, anna, bert, approvers };
}

/** Lets somebody sign elsewhere; `change` is what happens on the way. */
async function signElsewhere(
  cli: CliFolder,
  approvalId: string,
  { as, keyPath, verb = "approve" }: { readonly as: string; readonly keyPath: string; readonly verb?: string },
  change: { readonly statement?: (text: string) => string; readonly signed?: (text: string) => string } = {},
): Promise<string[]> {
  const printed = await cli.call(["approvals", verb, approvalId, "--as", as, "--print-statement"]);
  expect(printed, printed.stderr).toMatchObject({ status: 0 });
  const { statement = (text) => text, signed = statement } = change;
  const files = [
    cli.write("statement", statement(printed.stdout)),
    cli.write("signature", signPlainly(keyPath, signed(printed.stdout))),
  ];
  return ["--statement", files[0] ?? "", "--signature", files[1] ?? ""];
}

describe("it is refused to decide", () => {
  test("as an agent, whatever the policy says", async () => {
    await using cli = new CliFolder();
    const { publicKey } = ownKey(cli);
    writePolicy(cli, [{ principal: "anna@example.com", key: publicKey }], "{ by: [anna@example.com] }");
    const path = ".windlass/windlass.policy.yaml";
    const { approvalId } = await askFor(cli, "true");
    cli.write(
      path,
      readFileSync(join(cli.path, path), "utf8").replace(
        "rules:",
        "rules:\n  - { name: all, operations: ['approvals.*'], allow: true }",
      ),
    );
    for (const verb of ["approve", "reject", "revoke"])
      await refused(cli, ["approvals", verb, approvalId], [1, "APPROVAL_BY_AGENT"], AGENT);
    const said = await refused(
      cli,
      ["approvals", "approve", approvalId, "--print-statement"],
      [1, "APPROVAL_BY_AGENT"],
      AGENT,
    );
    expect(said).toContain("agent:codex cannot decide");
  });

  test("about nothing, with words that are wrong, or with a key that is none", async () => {
    const { cli } = folderOfTwo("{ by: [anna@example.com, bert] }");
    await using _ = cli;
    const { approvalId } = await askFor(cli, "true");
    await refused(cli, ["approvals", "show", NOBODY], [1, "APPROVAL_NOT_FOUND"]);
    await refused(cli, ["approvals", "approve", NOBODY], [1, "APPROVAL_NOT_FOUND"]);
    await refused(cli, ["approvals", "approve", "../x"], [2, "INVALID_ID"]);
    await refused(cli, ["approvals", "list", "--state", "open"], [2, "USAGE"]);
    await refused(cli, ["approvals", "approve", approvalId, "--reason", "x".repeat(1_001)], [2, "USAGE"]);
    const noKey = cli.write("no-key", "hello\n");
    for (const path of [noKey, join(cli.path, "gone")])
      expect(await refused(cli, ["approvals", "approve", approvalId, "--key", path], [2, "USAGE"])).toContain(path);
    const gone = ["--statement", join(cli.path, "gone"), "--signature", noKey];
    expect(await refused(cli, ["approvals", "approve", approvalId, ...gone], [2, "USAGE"])).toContain("ENOENT");
  });

  test("as somebody whom the policy does not know or does not ask, or with somebody else's key", async () => {
    const { cli, bert } = folderOfTwo("{ by: [anna@example.com] }");
    await using _ = cli;
    const { approvalId } = await askFor(cli, "true");
    const approve = (...more: string[]) =>
      refused(cli, ["approvals", "approve", approvalId, ...more], [1, "APPROVER_UNKNOWN"]);
    expect(await approve("--as", "carl")).toContain("there are anna@example.com, bert");
    expect(await approve("--as", "bert", "--print-statement")).toContain(
      "bert is not asked here; anna@example.com may decide",
    );
    expect(await approve("--key", bert.path)).toContain("is the key of bert, and this is for anna@example.com");
    const stranger = makePlainKey(cli.path, "stranger");
    expect(await approve("--key", stranger.path)).toMatch(/stranger \(SHA256:\S+\) is not the key of anna@example.com/);
  });

  test("where several approvers have keys here, until one is named", async () => {
    const { cli, approvers } = folderOfTwo("{ by: [anna@example.com, bert] }");
    await using _ = cli;
    const { publicKey } = ownKey(cli, "of_anne", "anne");
    writePolicy(cli, [...approvers, { principal: "anne", key: publicKey }], "{ by: [anna@example.com, anne] }");
    const { approvalId } = await askFor(cli, "true");
    expect(await refused(cli, ["approvals", "approve", approvalId], [2, "USAGE"])).toContain("--as");
    expect((await cli.call(["approvals", "approve", approvalId, "--as", "anne"])).status).toBe(0);
  });

  test("twice as the same principal; two different ones are two", async () => {
    const { cli, bert } = folderOfTwo("{ by: [anna@example.com, bert], quorum: 2 }");
    await using _ = cli;
    const { jobId, approvalId } = await askFor(cli, "true");
    const first = await cli.call(["approvals", "approve", approvalId]);
    expect(pairsOf(first.stdout)).toMatchObject({ state: "pending" });
    expect(await refused(cli, ["approvals", "approve", approvalId], [1, "APPROVAL_REPEATED"])).toContain("revoke");
    await refused(cli, ["approvals", "reject", approvalId], [1, "APPROVAL_REPEATED"]);
    expect((await cli.json(["jobs", "status", jobId])).value["state"]).toBe("waiting");
    const second = await cli.call(["approvals", "approve", approvalId, "--key", bert.path]);
    expect(pairsOf(second.stdout)).toMatchObject({ state: "approved", decided_by: "bert" });
  });

  test("after its time, and the job has expired with it", async () => {
    const { cli } = folderOfTwo("{ by: [anna@example.com], expires: 1m }");
    await using _ = cli;
    const { jobId, approvalId } = await askFor(cli, "true");
    // A minute ago, asked and to be decided: as if the minute had passed.
    forge(cli, "UPDATE approval SET asked = asked - 90000, expires = expires - 90000");
    forge(cli, "UPDATE wait SET due = due - 90000");
    expect((await cli.call(["approvals", "list"])).stdout).toContain("state=expired");
    for (const verb of ["approve", "reject"])
      expect(await refused(cli, ["approvals", verb, approvalId], [1, "APPROVAL_EXPIRED"])).toContain("jobs retry");
    const worker = await cli.worker();
    expect((await cli.call(["jobs", "wait", jobId])).status).toBe(1);
    expect((await cli.json(["jobs", "status", jobId])).value).toMatchObject({
      state: "expired",
      error: expect.stringContaining("APPROVAL_EXPIRED"),
    });
    worker.kill("SIGTERM");
    await worker.ended;
  });

  test("about something else than was looked at", async () => {
    const { cli } = folderOfTwo("{ by: [anna@example.com] }");
    await using _ = cli;
    const { approvalId } = await askFor(cli, "true");
    const digest = String((await cli.json(["approvals", "show", approvalId])).value["digest"]);
    forge(cli, "UPDATE approval SET details = replace(details, 'true', 'reboot')");
    expect(
      await refused(cli, ["approvals", "approve", approvalId, "--digest", digest], [1, "APPROVAL_ALTERED"]),
    ).toContain("approvals show");
  });
});

describe("a decision that was signed elsewhere is refused", () => {
  test("when one of its bytes was changed, or its signature is somebody else's or another thing's", async () => {
    const { cli, anna, bert } = folderOfTwo("{ by: [anna@example.com, bert] }");
    await using _ = cli;
    const [{ approvalId }, other] = [await askFor(cli, "true"), await askFor(cli, "reboot")];
    const by = { as: "anna@example.com", keyPath: anna.path };
    const give = async (code: string, change: Parameters<typeof signElsewhere>[3], who = by) => {
      const files = await signElsewhere(cli, approvalId, who, change);
      return refused(cli, ["approvals", "approve", approvalId, ...files], [1, code]);
    };
    expect(await give("APPROVAL_ALTERED", { statement: (text) => `${text}\n` })).toContain("line end");
    await give("APPROVAL_ALTERED", { statement: () => "{}" });
    expect(
      await give("APPROVAL_ALTERED", {
        statement: (text) => text.replace(/"subject_digest":"\w+"/, `"subject_digest":"${"0".repeat(64)}"`),
      }),
    ).toContain("subject_digest of what anna@example.com signed is not that of the approval");
    await give("APPROVAL_ALTERED", { statement: (text) => text.replace(approvalId, other.approvalId) });
    await give("APPROVAL_ALTERED", { statement: (text) => text.replace(/"decided_at":"2/, '"decided_at":"3') });
    expect(await give("APPROVAL_SIGNATURE", { signed: (text) => `${text} ` })).toContain("does not fit");
    expect(await give("APPROVAL_SIGNATURE", {}, { ...by, keyPath: bert.path })).toContain("another key");
    const files = await signElsewhere(cli, other.approvalId, by);
    await refused(cli, ["approvals", "approve", approvalId, ...files], [1, "APPROVAL_ALTERED"]);
    expect((await cli.json(["approvals", "show", approvalId])).value).toMatchObject({
      state: "pending",
      decisions: [],
    });
  });

  test("when the decision was put into the record by hand: it is shown for what it is, and the job does not run", async () => {
    const { cli } = folderOfTwo("{ by: [anna@example.com] }");
    await using _ = cli;
    const { jobId, approvalId } = await askFor(cli, "touch", "out");
    expect((await cli.call(["approvals", "approve", approvalId])).status).toBe(0);
    forge(cli, "UPDATE decision SET statement = replace(statement, 'approved', 'rejected')");
    expect((await cli.json(["approvals", "show", approvalId])).value).toMatchObject({
      state: "approved",
      judgement: "pending",
      decisions: [{ counts: false, level: null, error: expect.stringContaining("APPROVAL_ALTERED") }],
    });
    const worker = await cli.worker();
    await expect.poll(async () => (await cli.json(["jobs", "status", jobId])).value["state"]).toBe("waiting");
    worker.kill("SIGTERM");
    await worker.ended;
  });
});

test("an approval that must be enforced is refused before anybody signs, with what is missing", async () => {
  await using cli = new CliFolder();
  const token = new SoftwareAuthenticator();
  const approvers = [
    { principal: "anna@example.com", key: ownKey(cli).publicKey },
    { principal: "ops", key: token.publicKey },
  ];
  writePolicy(cli, approvers, "{ by: [anna@example.com, ops], level: enforced }");
  const { approvalId } = await askFor(cli, "true");
  const said = await refused(cli, ["approvals", "approve", approvalId], [1, "APPROVAL_LEVEL"]);
  expect(said).toMatch(
    /by the rule agents-ask.*the policy is advisory: .*; the key of anna@example.com is a plain one/,
  );
  // A security key, touched: what is missing is the policy alone, which this account could change.
  const printed = await cli.call(["approvals", "approve", approvalId, "--as", "ops", "--print-statement"]);
  const [statement, signature] = [cli.write("s", printed.stdout), cli.write("s.sig", token.sign(printed.stdout))];
  const files = ["--statement", statement, "--signature", signature];
  expect(await refused(cli, ["approvals", "approve", approvalId, ...files], [1, "APPROVAL_LEVEL"])).not.toContain(
    "plain",
  );
  // A no needs no level.
  expect((await cli.call(["approvals", "reject", approvalId])).status).toBe(0);
});

test("without ssh-keygen nothing is decided and no worker starts, and that is said", async () => {
  const { cli } = folderOfTwo("{ by: [anna@example.com] }");
  await using _ = cli;
  const { approvalId } = await askFor(cli, "true");
  const said = await refused(cli, ["approvals", "approve", approvalId], [3, "PREREQUISITE_MISSING"], {
    env: { PATH: cli.path },
  });
  expect(said).toContain("install openssh-client");
  const started = await refused(cli, ["worker"], [3, "PREREQUISITE_MISSING"], { env: { PATH: cli.path } });
  expect(started).toContain("ssh-keygen is not on PATH");
});

test("a worker that loses ssh-keygen says why the job does not go on, and so does jobs explain", async () => {
  const { cli } = folderOfTwo("{ by: [anna@example.com] }");
  await using _ = cli;
  mkdirSync(join(cli.path, "programs"));
  const path = new OwnPath(join(cli.path, "programs"));
  const worker = await cli.worker([], { env: path.environment });
  const { jobId, approvalId } = await askFor(cli, "/bin/true");
  path.lose("ENOENT");
  expect((await cli.call(["approvals", "approve", approvalId])).status).toBe(0);
  await worker.says("APPROVAL_UNVERIFIED");
  const { stdout } = await cli.call(["jobs", "explain", jobId]);
  expect(stdout).toMatch(/reason=verify .*ssh-keygen cannot be started \(ENOENT\)/);
  path.giveBack();
  expect((await cli.call(["jobs", "wait", jobId])).status).toBe(0);
  worker.kill("SIGTERM");
  expect((await worker.ended).stderr).toMatch(/level=warn .*msg="job released" .*APPROVAL_UNVERIFIED: the approval/);
});

test("what is no job cannot wait for an approval, and that is said", async () => {
  await using cli = new CliFolder();
  writePolicy(cli, [{ principal: "anna", key: ownKey(cli).publicKey }], "{ by: [anna] }");
  const path = ".windlass/windlass.policy.yaml";
  const text = readFileSync(join(cli.path, path), "utf8");
  cli.write(path, text.replace("types: [exec], ", ""));
  expect(await refused(cli, ["jobs", "emit", "x", "--input-json", "{}"], [1, "POLICY_DENIED"], AGENT)).toContain(
    "only jobs can wait",
  );
});
