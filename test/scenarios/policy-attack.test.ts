import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder } from "../support/cli.ts";

// The seventh attack of docs/threat-model.md: an agent starts its own worker with its own policy, or edits the policy.

const PROGRAM = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
const AGENT = { env: { WINDLASS_ACTOR: "agent:codex" } };
const RULES = `version: 1
rules:
  - { name: read, access: read, allow: true }
  - { name: agents-echo, actors: ["agent:*"], types: [exec], argv: [echo, hi], allow: true, limit: 2/h }
  - { name: people, actors: ["person:*", "unattended:*", "schedule:*", "job:*"], allow: true }
`;
const ALLOW_ALL = "version: 1\nrules:\n  - { name: all, allow: true }\n";

describe("an agent with a shell of its operator's account", () => {
  test("is refused a worker; by a policy of its own it starts one, and that is said; the operator's worker takes no job of it", async () => {
    await using cli = new CliFolder();
    cli.write(".windlass/windlass.policy.yaml", RULES);
    const mine = cli.write("mine.yaml", ALLOW_ALL);
    const job = ["jobs", "enqueue", "--type", "exec", "--policy", mine, "--", "touch", "by-agent"];
    const { value } = await cli.json(job, AGENT);
    const id = String(value["job_id"]);
    expect((await cli.call(["jobs", "logs", id])).stdout).toContain("rule=all policy=advisory");
    const operators = await cli.worker();
    expect((await cli.call(["jobs", "wait", id])).status).toBe(1);
    expect((await cli.json(["jobs", "status", id])).value).toMatchObject({
      state: "failed",
      error: expect.stringContaining("POLICY_DENIED: jobs.enqueue of exec was refused by the rule no-match"),
    });
    expect(existsSync(join(cli.path, "by-agent"))).toBe(false);
    operators.kill("SIGTERM");
    await operators.ended;
    expect((await cli.call(["worker"], AGENT)).status).toBe(1);
    // Nothing but accounts can prevent this one: whoever may write the database and run the program is a worker.
    const own = await cli.worker(["--policy", mine], AGENT);
    expect(own.stderr).toContain("policy_level=advisory");
    own.kill("SIGTERM");
    await own.ended;
  });
});

describe("an agent under an account of its own, where root has a policy", () => {
  const UID = 4711;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "windlass-root-policy-"));
    chmodSync(folder, 0o755);
    for (const name of ["etc/windlass", "home/.windlass"]) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "etc/windlass/policy.yaml"), RULES, { mode: 0o644 });
    for (const name of ["windlass.policy.yaml", "mine.yaml"])
      writeFileSync(join(folder, "home/.windlass", name), ALLOW_ALL);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a script under that account, in a place of its own where /etc has nothing but root's policy. */
  function asAgent(script: string) {
    const place = `mount --bind ${folder}/etc /etc`;
    const account = `exec setpriv --reuid ${UID} --regid ${UID} --clear-groups sh -c "$0"`;
    return spawnSync("unshare", ["-m", "sh", "-c", `${place} && ${account}`, script], {
      cwd: join(folder, "home"),
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        HOME: join(folder, "home"),
        WINDLASS_ACTOR: "agent:codex",
        W: `${process.execPath} ${PROGRAM}`,
      },
    });
  }

  test("it can neither change that policy nor choose another, and is told that it is enforced", ({ skip }) => {
    try {
      execFileSync("chown", ["-R", String(UID), join(folder, "home")], { stdio: "ignore" });
      chownSync(join(folder, "home"), UID, UID);
    } catch {
      return skip("needs root");
    }
    const probe = asAgent(`cat /etc/windlass/policy.yaml && ${process.execPath} --version && cat ${PROGRAM}`);
    if (probe.status !== 0) return skip(`needs mount namespaces, setpriv and a readable checkout: ${probe.stderr}`);
    for (const edit of ["echo > policy.yaml", "rm policy.yaml", "mv policy.yaml other.yaml", "mv ../windlass ../other"])
      expect(asAgent(`cd /etc/windlass && ${edit}`).stderr).toContain("Permission denied");
    const refused = asAgent("$W --policy .windlass/mine.yaml jobs enqueue --type exec -- touch x");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(
      "mine.yaml is not read (flag --policy): /etc/windlass/policy.yaml holds on this machine",
    );
    expect(refused.stderr).toMatch(
      /POLICY_DENIED: .* rule no-match \(policy=enforced\): .* under \\"rules:\\" in \/etc\/windlass\/policy\.yaml/,
    );
    expect(asAgent("WINDLASS_POLICY=.windlass/mine.yaml $W worker")).toMatchObject({ status: 1 });
    const checked = asAgent("$W policy check --json --type exec -- echo hi");
    expect(JSON.parse(checked.stdout)).toMatchObject({
      verdict: "allow",
      policy: "enforced",
      file: "/etc/windlass/policy.yaml",
    });
    const doctor = JSON.parse(asAgent("$W doctor --json").stdout) as { checks: { name: string }[] };
    expect(doctor.checks.find(({ name }) => name === "policy")).toMatchObject({
      state: "ok",
      facts: { level: "enforced", setting: "root-policy" },
      remedy: expect.stringContaining("under other accounts"),
    });
  });
});
