import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makePlainKey, type PlainKey, signPlainly } from "../support/plain-key.ts";
import { SoftwareAuthenticator } from "../support/software-authenticator.ts";
import { needs } from "../support/system.ts";

needs("ssh");

const PROGRAM = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
const UID = 4711;
const token = new SoftwareAuthenticator();

describe("under a policy of root's, an account that can neither change it nor be root", () => {
  let folder: string;
  let home: string;
  let far: PlainKey;
  let near: PlainKey;
  let plain: PlainKey;
  let problem: string | undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "windlass-enforced-"));
    chmodSync(folder, 0o755);
    home = join(folder, "home");
    for (const path of [join(folder, "etc/windlass"), join(home, ".windlass"), join(home, ".ssh"), join(folder, "far")])
      mkdirSync(path, { recursive: true });
    chmodSync(join(folder, "far"), 0o700);
    far = makePlainKey(join(folder, "far"), "key", "far");
    [near, plain] = ["near", "plain"].map((name) => makePlainKey(join(home, ".ssh"), name, name)) as [
      PlainKey,
      PlainKey,
    ];
    writeFileSync(join(folder, "etc/windlass/policy.yaml"), policy(), { mode: 0o644 });
    // OpenSSH does nothing for a user who has no name.
    writeFileSync(join(folder, "etc/passwd"), `operator:x:${UID}:${UID}::${home}:/bin/sh\n`, { mode: 0o644 });
    try {
      execFileSync("chown", ["-R", `${UID}:${UID}`, home], { stdio: "ignore" });
    } catch {
      problem = "needs root";
    }
    const probe = as("person", `cat /etc/windlass/policy.yaml && ${process.execPath} --version && cat ${PROGRAM}`);
    if (probe.status !== 0) problem ??= `needs mount namespaces, setpriv and a readable checkout: ${probe.stderr}`;
  });
  beforeEach(({ skip }) => skip(problem !== undefined, problem));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const policy = (): string => `version: 1
approvers:
  - { principal: ops, key: "${token.publicKey}" }
  - { principal: far, key: "${far.publicKey}", level: enforced }
  - { principal: near, key: "${near.publicKey}", level: enforced }
  - { principal: plain, key: "${plain.publicKey}" }
rules:
  - { name: read, access: read, allow: true }
  - { name: ask, actors: ["agent:*", "unattended:*"], types: [exec], approval: { by: [ops, far, near, plain], level: enforced } }
  - { name: rest, actors: ["unattended:*"], allow: true }
`;

  /** Runs a script under that account, in a place of its own where /etc has nothing but what stands here. */
  function as(who: "agent" | "person", script: string) {
    const place = `mount --bind ${folder}/etc /etc`;
    const account = `exec setpriv --reuid ${UID} --regid ${UID} --clear-groups sh -c "$0"`;
    return spawnSync("unshare", ["-m", "sh", "-c", `${place} && ${account}`, script], {
      cwd: home,
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        HOME: home,
        W: `${process.execPath} ${PROGRAM}`,
        ...(who === "agent" ? { WINDLASS_ACTOR: "agent:codex" } : {}),
      },
    });
  }

  function askFor(who: "agent" | "person", file: string): { id: string; jobId: string } {
    const { stdout, stderr } = as(who, `$W jobs enqueue --json --type exec -- touch ${home}/${file}`);
    const { approval_id, job_id, state } = JSON.parse(stdout) as Record<string, string>;
    expect(state, stderr).toBe("waiting");
    return { id: String(approval_id), jobId: String(job_id) };
  }

  /** Hands in what was signed elsewhere. */
  function handIn(id: string, principal: string, sign: (text: string) => string) {
    const printed = as("person", `$W approvals approve ${id} --as ${principal} --print-statement`);
    expect(printed.status, printed.stderr).toBe(0);
    for (const [name, text] of [
      ["statement", printed.stdout],
      ["signature", sign(printed.stdout)],
    ] as const)
      writeFileSync(join(folder, name), text, { mode: 0o644 });
    return as(
      "person",
      `$W approvals approve ${id} --json --statement ${folder}/statement --signature ${folder}/signature`,
    );
  }

  function runs(jobId: string): number | null {
    return as(
      "person",
      `$W worker 2>worker.log & w=$!; $W jobs wait ${jobId} --wait 20s; r=$?; kill $w; wait $w; exit $r`,
    ).status;
  }

  test("approves by a security key that was touched, and not by one that was not", () => {
    const { id, jobId } = askFor("agent", "by-token");
    const untouched = handIn(id, "ops", (text) => token.sign(text, { touched: false }));
    expect(untouched.status).toBe(1);
    expect(untouched.stdout).toContain("APPROVAL_LEVEL");
    expect(untouched.stdout).toContain("was not touched");
    const touched = handIn(id, "ops", (text) => token.sign(text));
    expect(JSON.parse(touched.stdout)).toMatchObject({ state: "approved", level: "enforced", advisory_because: [] });
    expect(runs(jobId), readFileSync(join(home, "worker.log"), "utf8")).toBe(0);
    expect(existsSync(join(home, "by-token"))).toBe(true);
  });

  test("approves by a plain key that the policy calls enforced, where the asking account cannot read it", () => {
    const { id } = askFor("agent", "by-far");
    expect(as("agent", `cat ${far.path}`).stderr).toContain("Permission denied");
    const given = handIn(id, "far", (text) => signPlainly(far.path, text));
    expect(JSON.parse(given.stdout), given.stderr).toMatchObject({ state: "approved", level: "enforced" });
  });

  test("is refused with such a key that it can read itself, after it asked itself; and with a plain key at all", () => {
    const own = askFor("person", "by-near");
    const near = as("person", `$W approvals approve ${own.id} --as near`);
    expect(near.status).toBe(1);
    expect(near.stderr).toMatch(
      /APPROVAL_LEVEL: .*no asking account can read the key of near, but operator, who asked, reads/,
    );
    const plain = as("person", `$W approvals approve ${own.id} --as plain`);
    expect(plain.stderr).toMatch(/APPROVAL_LEVEL: .*the key of plain is a plain one/);
  });

  test("cannot add an approver to that policy; it is told what to add and what is missing", () => {
    const made = as("person", "$W approvals setup --json --key .ssh/near.pub --principal other");
    expect(made.stderr + made.stdout).toContain("this key is the one of near");
    const set = as(
      "person",
      `ssh-keygen -q -t ed25519 -N '' -f fresh -C fresh && $W approvals setup --json --key fresh`,
    );
    expect(JSON.parse(set.stdout)).toMatchObject({
      policy: "/etc/windlass/policy.yaml",
      change: "by_hand",
      lines: ["approvers:", expect.stringMatching(/^ {2}- \{ principal: "fresh"/)],
      missing: [expect.stringContaining("is a plain key"), expect.stringContaining("start them again")],
    });
    expect(readFileSync(join(folder, "etc/windlass/policy.yaml"), "utf8")).toBe(policy());
    const checks = JSON.parse(as("person", "$W doctor --json").stdout) as { checks: { name: string }[] };
    expect(checks.checks.find(({ name }) => name === "approvals")).toMatchObject({
      state: "ok",
      facts: { approvers: 4, enforceable: 3 },
    });
  });
});
