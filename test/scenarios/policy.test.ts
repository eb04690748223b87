import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

const AGENT = { env: { WINDLASS_ACTOR: "agent:codex" } };
const ENQUEUE = ["jobs", "enqueue", "--type", "exec"] as const;
const RULES = `version: 1
approvers: [{ principal: ops@example.com, key: "sk-ssh-ed25519@openssh.com AAAAGnNr" }]
rules:
  - { name: read, access: read, allow: true }
  - { name: agents-echo, actors: ["agent:*"], types: [exec], argv: [echo, hi], allow: true, limit: 2/h }
  - { name: agents-ask, actors: ["agent:*"], types: [windows.exec], approval: { by: [ops@example.com], level: enforced } }
  - { name: people, actors: ["person:*", "unattended:*", "schedule:*", "job:*"], allow: true }
examples:
  - { actor: "agent:codex", type: exec, argv: [echo, hi], expect: allow, rule: agents-echo }
  - { actor: "agent:codex", type: exec, argv: [echo, hi], used: 2, expect: deny }
  - { actor: "agent:codex", type: windows.exec, command: hostname, expect: needs-approval }
`;

describe.concurrent("a first-time user", () => {
  test("an agent is told what a person would do, before a policy and after init; a person sees no difference", async () => {
    await using cli = new CliFolder();
    const before = await cli.json([...ENQUEUE, "--", "echo", "hi"], AGENT);
    expect(before).toMatchObject({ status: 1, value: { code: "POLICY_DENIED" } });
    expect(before.value["error"]).toMatch(
      /without a policy file an agent may read and change nothing; .*`windlass init` writes one/,
    );
    expect((await cli.call(["init"])).status).toBe(0);
    const file = join(cli.path, ".windlass/windlass.policy.yaml");
    const after = await cli.json([...ENQUEUE, "--", "echo", "hi"], AGENT);
    expect(after).toMatchObject({ status: 1, value: { code: "POLICY_DENIED" } });
    const line = /under "rules:" in (\S+): (- \{ .* \})$/.exec(String(after.value["error"]));
    expect(line?.[1]).toBe(file);
    expect(await cli.call(["run", "exec", "--", "echo", "hi"])).toMatchObject({ status: 0, stdout: "hi\n" });
    expect((await cli.call(["jobs", "list"], AGENT)).status).toBe(0);
    // The line works where it says, also by copy and paste.
    writeFileSync(file, readFileSync(file, "utf8").replace("rules:\n", `rules:\n  ${line?.[2]}\n`));
    expect((await cli.call([...ENQUEUE, "--", "echo", "hi"], AGENT)).status).toBe(0);
    expect((await cli.call(["policy", "test"])).status).toBe(0);
  });
});

describe("a policy", () => {
  let cli: CliFolder;
  beforeAll(() => {
    cli = new CliFolder();
    cli.write(".windlass/windlass.policy.yaml", RULES);
  });
  afterAll(() => cli[Symbol.asyncDispose]());

  test("holds to its limit; what it refuses is recorded, and what needs an approval says whose", async () => {
    for (const status of [0, 0, 1])
      expect((await cli.call([...ENQUEUE, "--", "echo", "hi"], AGENT)).status).toBe(status);
    expect(await cli.json([...ENQUEUE, "--", "echo", "ho"], AGENT)).toMatchObject({
      status: 1,
      value: { code: "POLICY_DENIED" },
    });
    expect(await cli.json(["worker"], AGENT)).toMatchObject({ status: 1, value: { code: "POLICY_DENIED" } });
    const input = ["--input-json", '{"command":"hostname"}'];
    const held = await cli.json(["jobs", "enqueue", "--type", "windows.exec", ...input], AGENT);
    expect(held).toMatchObject({ status: 0, value: { state: "waiting" } });
    const { value: question } = await cli.json(["approvals", "show", String(held.value["approval_id"])], AGENT);
    expect(question).toMatchObject({ rule: "agents-ask", approvers: ["ops@example.com"], policy: "advisory" });
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/);
    const common = { at: expect.stringMatching(/Z$/), actor: "agent:codex", policy: digest };
    const enqueued = { ...common, operation: "jobs.enqueue", type: "exec", digest };
    const denials = [
      { ...common, operation: "worker", type: null, rule: "no-match", digest: null },
      { ...enqueued, rule: "no-match" },
      { ...enqueued, rule: "agents-echo" },
    ];
    expect(await cli.json(["policy", "denials", "--since", "1h"], AGENT)).toMatchObject({
      status: 0,
      value: { denials },
    });
    const { stdout } = await cli.call(["policy", "denials", "--limit", "2"]);
    expect(stdout.trim().split("\n").map(pairsOf)).toMatchObject([
      { actor: "agent:codex", operation: "worker", rule: "no-match" },
      { actor: "agent:codex", operation: "jobs.enqueue", type: "exec", rule: "no-match" },
    ]);
    expect((await cli.json(["doctor"])).value).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({
          name: "policy",
          facts: expect.objectContaining({ level: "advisory", denied_24h: 3 }),
        }),
      ]),
    });
    const [job] = (await cli.json<{ jobs: { job_id: string }[] }>(["jobs", "list", "--type", "exec"])).value.jobs;
    expect((await cli.call(["jobs", "logs", job?.job_id ?? ""])).stdout).toContain("agents-echo");
  });

  test("explains its verdict with the rule and its line, for anybody, and does nothing", async () => {
    const check = async (...args: readonly string[]) => (await cli.json(["policy", "check", ...args])).value;
    expect(await check("--actor", "agent:new", "--type", "exec", "--", "echo", "hi", "there")).toMatchObject({
      verdict: "allow",
      rule: "agents-echo",
      line: 5,
      policy: "advisory",
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      limit: "2/h",
      used: 0,
      passed: [{ rule: "read", line: 4, unless: "access" }],
    });
    expect(await check("--actor", "person:anna", "--type", "exec", "--", "rm")).toMatchObject({
      verdict: "allow",
      rule: "people",
    });
    expect(
      await check("--actor", "agent:new", "--type", "windows.exec", "--input-json", '{"command":"hostname"}'),
    ).toMatchObject({
      verdict: "needs-approval",
      approvers: ["ops@example.com"],
      quorum: 1,
      level: "enforced",
      expires_in: "1d",
    });
    expect(await check("--actor", "agent:new", "--operation", "jobs.cancel")).toMatchObject({
      verdict: "deny",
      rule: "no-match",
      line: null,
    });
    expect(await check("--operation", "jobs.cansel")).toMatchObject({ code: "USAGE" });
  });

  test("is asked its own examples", async () => {
    expect((await cli.call(["policy", "test"])).stdout).toMatch(/examples=3 failed=0\n$/);
    const other = cli.write("other.yaml", RULES.replace("argv: [echo, hi], allow", "argv: [echo, ho], allow"));
    const { status, stdout } = await cli.call(["policy", "test", "--file", other]);
    expect(status).toBe(1);
    expect(stdout).toContain(
      "example=failed line=9 actor=agent:codex operation=jobs.enqueue type=exec verdict=deny expected=allow rule=no-match",
    );
  });

  test("that is wrong stops everything that acts or shows jobs; what finds the mistake goes on", async () => {
    await using own = new CliFolder();
    own.write(".windlass/windlass.policy.yaml", "version: 1\nrules:\n  - { name: a, alow: true }\n");
    for (const args of [
      [...ENQUEUE, "--", "true"],
      ["run", "exec", "--", "true"],
      ["worker"],
      ["jobs", "list"],
      ["db", "migrate"],
    ]) {
      const { status, stdout, stderr } = await own.call(args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(
        /^config error: .*windlass\.policy\.yaml line 3: rules\[0\]\.alow is no field; did you mean allow\?/m,
      );
    }
    expect(existsSync(join(own.path, ".windlass/windlass.db"))).toBe(false);
    expect(await own.json(["doctor"])).toMatchObject({ status: 1, value: { code: "CHECK_FAILED" } });
    expect((await own.call(["config", "show"])).status).toBe(0);
    expect((await own.call(["policy", "test"])).stderr).toContain("line 3");
  });
});
