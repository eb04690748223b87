import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../support/system.ts";
import { hasTestTools, isIntegration, WindowsBench } from "../support/windows-bench.ts";
import { findPwsh } from "../support/windows-simulator/powershell/real.ts";

needs("ssh", "sshd");

let bench: WindowsBench;
beforeAll(async () => {
  bench = await WindowsBench.open();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const exec = (...args: readonly string[]) => bench.call(["windows", "exec", ...args]);

describe("windows exec", () => {
  test("one word is a line for the default shell, and each fact stands on a line of its own", async () => {
    const { status, stdout } = await exec("--", "echo OK & echo oops 1>&2");
    expect(stdout).toMatch(
      /^stdout="?OK ?"?\nstderr="?oops ?"?\nexit_code=0\nstate=completed\njob_id=[0-9a-f-]{36}\n$/,
    );
    expect(status).toBe(0);
  });

  test("several words are an argv; a builtin works, and an argument that cmd would read is refused", async () => {
    expect((await exec("--", "echo", "HELLO  WORLD")).stdout).toContain("HELLO  WORLD");
    const unsafe = await exec("--", "echo", "%PATH%");
    expect(unsafe).toMatchObject({ status: 1, stdout: expect.stringContaining("state=failed") });
    expect(unsafe.stderr).toContain("ARGUMENT_UNSAFE");
  });

  test("--raw prints the bytes of standard output alone", async () => {
    expect(await exec("--raw", "--", "echo ok")).toMatchObject({ status: 0, stdout: "ok\r\n", stderr: "" });
  });

  test("what it printed and how it ended is kept, with a manifest", async () => {
    const { value, status } = await bench.json<Record<string, string>>(["windows", "exec", "--", "cmd /c exit 7"]);
    expect(status).toBe(1);
    expect(value).toMatchObject({ state: "failed", exit_code: 7, code: "EXIT_NONZERO" });
    const list = await bench.json<{ root: string; artifacts: { path: string }[] }>([
      "artifacts",
      "list",
      value["job_id"] ?? "",
    ]);
    const paths = ["ssh/exit_code.txt", "ssh/stderr.txt", "ssh/stdout.txt"];
    expect(list.value.artifacts.map(({ path }) => path).filter((path) => path.startsWith("ssh/"))).toEqual(paths);
    const folder = list.value.root;
    expect(readFileSync(join(folder, "ssh/exit_code.txt"), "utf8")).toBe("7\n");
    expect(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"))).toMatchObject({
      job_id: value["job_id"],
      trace_id: value["trace_id"],
      artifacts: expect.arrayContaining([expect.objectContaining({ path: "ssh/stdout.txt" })]),
    });
  });

  test("the idempotence check is asked first: exit 0 skips, and a False that exits 0 is warned of", async () => {
    const done = await exec("--idempotent", "--idempotent-check", "exit 0", "--", "echo", "never");
    expect(done).toMatchObject({ status: 0, stdout: expect.stringMatching(/^state=skipped\njob_id=/) });
    const due = await exec("--idempotent-check", "exit 1", "--", "echo", "now");
    expect(due.stdout).toContain("stdout=now");
    const doubtful = await exec("--idempotent-check", "Test-Path 'C:\\nowhere'", "--", "echo", "never");
    expect(doubtful.stdout).toMatch(/^warning="idempotent_check printed False and exited 0.*\nstate=skipped\n/);
  });

  test("verify decides by the effect, not by the exit code", async () => {
    const good = await exec("--verify", "exit 0", "--", "cmd /c exit 5");
    expect(good).toMatchObject({ status: 0, stdout: expect.stringContaining("exit_code=5\nstate=completed") });
    const bad = await exec("--verify", "exit 1", "--", "echo fine");
    expect(bad).toMatchObject({ status: 1, stdout: expect.stringContaining("exit_code=0\nstate=failed") });
    expect(bad.stderr).toContain("VERIFY_FAILED: verify says that the work is not done");
  });

  test("--async stores the job for a worker, with its flags", async () => {
    const stored = await exec("--async", "--timeout", "30s", "--trace-id", "t-7", "--", "echo later");
    expect(stored).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^job_id=\S+ state=queued trace_id=t-7\n$/),
    });
    const id = /job_id=(\S+)/.exec(stored.stdout)?.[1] ?? "";
    const worker = await bench.worker();
    expect((await bench.call(["jobs", "wait", id])).status).toBe(0);
    worker.kill("SIGTERM");
    expect((await worker.ended).status).toBe(0);
  });

  test("a command that runs too long is ended on the machine as a whole: exit 4", async () => {
    const late = await exec("--timeout", "1s", "--", "cmd /c ping -n 60 127.0.0.1");
    expect(late).toMatchObject({ status: 4, stdout: expect.stringContaining("state=failed") });
    expect(late.stderr).toContain("TIMEOUT");
    if (!isIntegration) expect(bench.simulator.processes("ping.exe")).toEqual([]);
  });

  test.each([
    [["--idempotent", "--", "x"], "--idempotent needs --idempotent-check"],
    [[], "windows exec needs a command"],
    [["--", ""], "command: is empty"],
    [["--host", "lab9", "--", "x"], "there is no host"],
    [["--hosts", "a,b", "--", "x"], "there is no host"],
    [["--cmd", "x", "--", "y"], "give command by --cmd or behind --, not both"],
    [["--arg", "x"], "--arg is an argument of --cmd"],
    [["--timeout", "25h", "--", "x"], "timeout"],
  ])("%j is refused before anything is stored: %s", async (args, message) => {
    const refused = await exec(...args);
    expect(refused).toMatchObject({ status: 2, stdout: "" });
    expect(refused.stderr).toContain(message);
  });
});

describe("exit codes of the machine", () => {
  test.for([0, 1, 255, 256, 259, 3_221_225_477, 4_294_967_295])("%i arrives as it is", async (code, { skip }) => {
    if (code > 255 && !isIntegration && findPwsh() !== undefined) skip("a real PowerShell on Linux sees 8 bits");
    const real = ["powershell", "-NoProfile", "-Command", `[Environment]::Exit(${code | 0})`];
    const program = hasTestTools ? ["exit-with.exe", String(code)] : real;
    const { value } = await bench.json(["windows", "exec", "--", ...program]);
    expect(value).toMatchObject({ exit_code: code, state: code === 0 ? "completed" : "failed" });
  });

  test("a program that prints what ssh would say of a lost connection is a program that ended", async () => {
    const line = "echo ssh: connect to host x port 22: Connection refused 1>&2 & exit 255";
    const { value, status } = await bench.json(["windows", "exec", "--", line]);
    expect(value).toMatchObject({ exit_code: 255, state: "failed", code: "EXIT_NONZERO" });
    expect(status).toBe(1);
  });

  test("a program that is not there says so", async () => {
    const { stderr, status } = await exec("--", "no-such-program.exe", "x");
    expect(status).toBe(1);
    expect(stderr).toContain("PROGRAM_NOT_STARTED");
  });
});
