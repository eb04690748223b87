import { PassThrough } from "node:stream";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../test/support/until.ts";
import { type LocalMachine, openMachine } from "../../../test/support/windows-simulator/powershell/local-transport.ts";
import { findPwsh } from "../../../test/support/windows-simulator/powershell/real.ts";
import { runningProcesses } from "../../../test/support/windows-simulator/processes.ts";
import { systemClock } from "../../clock.ts";
import { decodeClixml } from "./model/clixml.ts";
import { powershellArgv, printsFalse } from "./model/operator-script.ts";
import type { RunnerRequest } from "./request.ts";
import type { RunnerTransport } from "./runner/transport.ts";
import { PowerShellRunner } from "./runner.ts";

const pwsh = findPwsh();
const SHELLS = [
  { name: "the stand-in", pwsh: undefined },
  ...(pwsh === undefined ? [] : [{ name: "PowerShell 7", pwsh }]),
];
const never = new AbortController().signal;

test("the real PowerShell takes part", (context) => {
  if (pwsh === undefined) context.skip("no PowerShell 7; put pwsh on PATH or name it in WINDLASS_TEST_PWSH");
});

describe.each(SHELLS)("$name", ({ pwsh: real }) => {
  let machine: LocalMachine;
  let runner: PowerShellRunner;

  beforeAll(async () => {
    machine = openMachine({ pwsh: real });
    runner = await start();
  });
  // A test that failed may have left it busy, and the next one is not to blame.
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail" || !runner.isUsable) await startAgain();
  });
  afterAll(async () => {
    await runner[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
  });

  const start = (transport: RunnerTransport = machine, answerTimeoutMs = 10_000): Promise<PowerShellRunner> =>
    PowerShellRunner.start(transport, { clock: systemClock, signal: never, answerTimeoutMs });

  async function startAgain(): Promise<PowerShellRunner> {
    await runner[Symbol.asyncDispose]();
    runner = await start();
    return runner;
  }

  /** Runs one command and keeps what it wrote. */
  async function run(request: RunnerRequest, { on = runner, timeoutMs = 20_000, signal = never } = {}) {
    // On a busy machine a process may be seen as left behind that was only about to end: users of the pool get another.
    const target = on === runner && !on.isUsable ? await startAgain() : on;
    const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    const end = await target.run(request, {
      timeoutMs,
      signal,
      stdout: (chunk) => void written.stdout.push(chunk),
      stderr: (chunk) => void written.stderr.push(chunk),
    });
    const [stdout, stderr] = [written.stdout, written.stderr].map((chunks) => Buffer.concat(chunks).toString());
    return { end, stdout, stderr };
  }
  const exited = (code: number) => ({ kind: "exited", code, leftProcesses: 0 });
  const programs = (image: string) =>
    runningProcesses(machine.machine.folder).filter(({ commandLine }) => commandLine.includes(image));

  /** What the stand-in, which runs no PowerShell, cannot do. */
  const testReal: (name: string, body: () => Promise<void>) => void = real === undefined ? () => {} : test;

  test("a program's bytes and code come as they are, also without a last newline", async () => {
    expect(await run({ argv: ["sh", "-c", "printf 'a\\n\\nb'; printf e >&2; exit 7"] })).toEqual({
      end: exited(7),
      stdout: "a\n\nb",
      stderr: "e",
    });
    expect(await run({ argv: ["true"] })).toEqual({ end: exited(0), stdout: "", stderr: "" });
  });

  test("a program has an empty standard input", async () => {
    expect(await run({ argv: ["cat"] })).toMatchObject({ end: exited(0), stdout: "" });
  });

  test("every argument arrives unchanged", async () => {
    const word = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom('"', "\\", " ", "%", "^", "&", "\n", "$", "'", "`", "🙂") }),
      fc.constantFrom("2026-11-21T00:00:00Z", "/Date(1)/", "%PATH%", "C:\\dir\\"),
    );
    const property = fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (words) => {
      // A process of the simulator carries its line in an argument of the real system: that has no NUL, and is well-formed.
      const args = words.map((text) => text.replaceAll("\0", "").toWellFormed());
      const { stdout } = await run({ argv: ["printf", "%s\\n\\001", "", ...args] });
      expect(stdout).toBe(["", ...args].map((text) => `${text}\n\u0001`).join(""));
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test("50 MB arrive exactly, and slowly when they are taken slowly", async () => {
    let length = 0;
    let sum = 0;
    const end = await runner.run(
      { argv: ["head", "-c", "52428800", "/dev/zero"] },
      {
        timeoutMs: 60_000,
        signal: never,
        stdout: async (chunk) => {
          length += chunk.length;
          sum += chunk.reduce((all, byte) => all + byte, 0);
          await new Promise((resolve) => setImmediate(resolve));
        },
      },
    );
    expect({ end, length, sum }).toEqual({ end: exited(0), length: 52_428_800, sum: 0 });
  });

  test("a command of cmd works, with its arguments as they are", async () => {
    expect(await run({ argv: ["echo", "hello", "a & b", "^"] })).toMatchObject({
      end: exited(0),
      stdout: 'hello "a & b" "^"\r\n',
    });
  });

  test("an argument that cmd would change is refused, and nothing runs", async () => {
    for (const arg of ["%PATH%", 'a"b', "a\nb"]) {
      const { end, stdout } = await run({ argv: ["echo", arg] });
      expect(end).toMatchObject({ kind: "failed", code: "ARGUMENT_UNSAFE" });
      expect(stdout).toBe("");
    }
    expect(runner.isUsable).toBe(true);
  });

  test("a batch file is cmd's: its arguments are refused or quoted", async () => {
    expect(await run({ argv: ["say", "a & b"] })).toMatchObject({ end: exited(0), stdout: '"a & b"\r\n' });
    expect((await run({ argv: ["say", "%OS%"] })).end).toMatchObject({ kind: "failed", code: "ARGUMENT_UNSAFE" });
    expect((await run({ argv: ["say.cmd", "%OS%"] })).end).toMatchObject({ kind: "failed", code: "ARGUMENT_UNSAFE" });
  });

  test("a program that is not there fails with the system's words", async () => {
    const { end } = await run({ argv: ["no-such-program"] });
    expect(end).toMatchObject({ kind: "failed", code: "PROGRAM_NOT_STARTED" });
    expect(end).toMatchObject({ reason: expect.stringContaining("no-such-program") });
    expect(runner.isUsable).toBe(true);
  });

  test("a line is the default shell's", async () => {
    expect(await run({ line: "echo one & echo two %OS%& exit /b 9" })).toMatchObject({
      end: exited(9),
      stdout: "one \r\ntwo Windows_NT\r\n",
    });
  });

  test("the runner ends a command at its deadline with all that it started", async () => {
    const { end } = await run({ argv: ["sh", "-c", "sleep 1234 & sleep 1234"] }, { timeoutMs: 300 });
    expect(end).toEqual({ kind: "timeout", remoteState: "killed" });
    expect(programs("1234")).toEqual([]);
    expect(await run({ argv: ["true"] })).toMatchObject({ end: exited(0) });
  });

  test("a cancel ends a command with all that it started; one that comes too late ends nothing", async () => {
    const stop = new AbortController();
    const running = run({ argv: ["sh", "-c", "echo up; sleep 2345 & sleep 2345"] }, { signal: stop.signal });
    await until(() => programs("2345")[0], { what: "the program runs" });
    stop.abort();
    expect((await running).end).toEqual({ kind: "cancelled", remoteState: "killed" });
    expect(programs("2345")).toEqual([]);
    const aborted = AbortSignal.abort();
    expect(await run({ argv: ["true"] }, { signal: aborted })).toMatchObject({ end: { kind: "cancelled" } });
    expect(await run({ argv: ["true"] })).toMatchObject({ end: exited(0) });
  });

  test("a sink that throws ends the command and is told", async () => {
    const full = new Error("the disk is full");
    const broken = runner.run(
      { argv: ["sh", "-c", "echo a; sleep 3456"] },
      {
        timeoutMs: 20_000,
        signal: never,
        stdout: () => {
          throw full;
        },
      },
    );
    await expect(broken).rejects.toBe(full);
    expect(programs("3456")).toEqual([]);
    expect(runner.isUsable).toBe(true);
  });

  test("an operator's PowerShell has its exact exit code, and its False is noticed", async () => {
    expect((await run({ argv: powershellArgv("exit 7") })).end).toEqual(exited(7));
    const check = "if (Test-Path 'C:\\Tools\\say.cmd') { exit 0 } else { exit 1 }";
    expect((await run({ argv: powershellArgv(check) })).end).toEqual(exited(0));
    expect((await run({ argv: powershellArgv(check.replace("say", "no")) })).end).toEqual(exited(1));
    const { end, stdout = "" } = await run({ argv: powershellArgv("Test-Path 'C:\\nowhere'") });
    expect(end).toEqual(exited(0));
    expect(printsFalse(0, stdout)).toBe(true);
  });

  testReal("what an operator's PowerShell says of an error is read", async () => {
    const { end, stderr = "" } = await run({ argv: powershellArgv("Write-Error boom; exit 3") });
    expect(end).toEqual(exited(3));
    expect(decodeClixml(stderr)).toContain("boom");
    expect(decodeClixml(stderr)).not.toContain("Objs");
  });

  testReal("where .NET has no list of arguments, as under 5.1, every argument arrives unchanged too", async () => {
    const hasList = "$null -ne [Diagnostics.ProcessStartInfo].GetProperty('ArgumentList')";
    const own = await start(changing(machine, (line) => line.replace(hasList, "$false")));
    const words = ['"', "\\", 'a"b', 'a\\"b', "C:\\my dir\\", "", " ", "a\nb", "é🙂", "%OS%", "$x", "a\\\\", "'"];
    const { stdout } = await run({ argv: ["printf", "[%s]", ...words] }, { on: own });
    expect(stdout).toBe(words.map((word) => `[${word}]`).join(""));
    await own[Symbol.asyncDispose]();
  });

  describe("a runner that is not used again", () => {
    test("is one whose command left a process behind", async () => {
      const own = await start();
      expect((await run({ argv: ["sh", "-c", "sleep 4567 & echo out"] }, { on: own })).end).toEqual({
        kind: "exited",
        code: 0,
        leftProcesses: 1,
      });
      expect(own.isUsable).toBe(false);
      await own[Symbol.asyncDispose]();
    });

    test("is one that was killed: what its command became is unknown, and what it started is ended", async () => {
      const own = await start();
      const running = run({ argv: ["sh", "-c", "sleep 5678; true"] }, { on: own, timeoutMs: 500 });
      await until(() => programs("5678")[0], { what: "the program runs" });
      process.kill(own.pid, "SIGKILL");
      expect((await running).end).toMatchObject({ remoteState: "killed" });
      expect(programs("5678")).toEqual([]);
      expect(own.isUsable).toBe(false);
      await own[Symbol.asyncDispose]();
    });

    test("is one that does not answer: a second call ends it by its number", async () => {
      const own = await start(machine, 300);
      const running = run({ argv: ["sh", "-c", "sleep 6789; true"] }, { on: own, timeoutMs: 300 });
      await until(() => programs("6789")[0], { what: "the program runs" });
      process.kill(own.pid, "SIGSTOP");
      expect((await running).end).toEqual({ kind: "timeout", remoteState: "killed" });
      expect(programs("6789")).toEqual([]);
      await own[Symbol.asyncDispose]();
    });

    test("is one whose connection was cut: its command is ended on the host", async () => {
      const own = await start();
      const running = run({ argv: ["sh", "-c", "echo up; sleep 7890; true"] }, { on: own });
      await until(() => programs("7890")[0], { what: "the program runs" });
      machine.sessions.at(-1)?.kill();
      expect((await running).end).toEqual({
        kind: "unknown",
        reason: expect.stringContaining("connection"),
        remoteState: "killed",
      });
      expect(programs("7890")).toEqual([]);
      await own[Symbol.asyncDispose]();
    });
  });

  test("closing a runner ends what runs in it", async () => {
    const own = await start();
    const running = run({ argv: ["sleep", "8901"] }, { on: own });
    await until(() => programs("8901")[0], { what: "the program runs" });
    await own[Symbol.asyncDispose]();
    expect((await running).end).toMatchObject({ kind: "unknown" });
    await until(() => (programs("8901").length === 0 ? true : undefined), { what: "the program has ended" });
  });
});

test("a host that has no PowerShell is told apart from one that does not answer", async () => {
  await using machine = openMachine({ pwsh: undefined });
  const settings = { clock: systemClock, signal: never };
  const without: RunnerTransport = { start: (_, options) => machine.start("nothing-like-it", options) };
  await expect(PowerShellRunner.start(without, settings)).rejects.toMatchObject({
    code: "RUNNER_FAILED",
    message: expect.stringContaining("nothing-like-it"),
  });
  const silent: RunnerTransport = { start: (_, options) => machine.start("sleep 99", options) };
  await expect(PowerShellRunner.start(silent, { ...settings, startTimeoutMs: 300 })).rejects.toMatchObject({
    code: "TIMEOUT",
  });
});

test("a runner of another version is refused", async () => {
  const transport: RunnerTransport = {
    start: async () => {
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const kill = (): void => void [stdin, stdout, stderr].map((stream) => stream.destroy());
      stdin.once("data", (line: Buffer) => {
        const { nonce } = JSON.parse(String(line)) as { readonly nonce: string };
        for (const stream of [stdout, stderr]) stream.write(`\n${nonce} runner=2 pid=1 started=1 powershell=8.0\n`);
      });
      return { stdin, stdout, stderr, kill, ended: Promise.resolve({}) };
    },
  };
  const started = PowerShellRunner.start(transport, { clock: systemClock, signal: never });
  await expect(started).rejects.toMatchObject({ code: "RUNNER_FAILED", message: expect.stringContaining("version 2") });
});

test("the stand-in refuses a runner whose text it does not know", async () => {
  await using machine = openMachine({ pwsh: undefined });
  const changed = changing(machine, (line) => line.replace("runner=1", "runner=2"));
  const started = PowerShellRunner.start(changed, { clock: systemClock, signal: never });
  await expect(started).rejects.toMatchObject({ message: expect.stringContaining("accept-scripts.mjs") });
});

/** A machine that is sent other lines than the client's. */
function changing(machine: LocalMachine, change: (line: string) => string): RunnerTransport {
  return {
    start: async (command, options) => {
      const session = await machine.start(command, options);
      const write = session.stdin.write.bind(session.stdin);
      session.stdin.write = ((line: string) => write(change(line))) as typeof write;
      return session;
    },
  };
}
