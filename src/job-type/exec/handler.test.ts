import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Effect, EffectContext } from "../../attempt/handlers.ts";
import { systemClock } from "../../clock.ts";
import { type AppError, isAppError } from "../../error.ts";
import { allowedEnvironment } from "../../host/local/environment.ts";
import { shellAnnounces } from "../../host/local/exit-record.ts";
import { machineIdentity } from "../../host/local/machine.ts";
import { procTable } from "../../host/local/process-table.ts";
import { type ExecInput, type ExecResult, exec } from "./exec.ts";
import { execHandlers } from "./handler.ts";
import type { ExecOptions } from "./options.ts";

let folder = "";
let effects: Effect[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "exec-"));
  effects = [];
});
afterEach(async () => {
  // No test leaves a process behind, and neither does the code: whatever it had started is gone.
  const left = effects.flatMap(({ facts }) => procTable.members(Number(facts["pid"])));
  expect(left).toEqual([]);
  await rm(folder, { recursive: true });
});

const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
const kept = (name: string): Buffer => readFileSync(join(folder, "exec", name));

interface Setting {
  readonly options?: Partial<ExecOptions>;
  readonly signal?: AbortSignal;
  readonly actor?: string;
  recordEffect?(effect: Effect): Promise<void>;
}

function setUp({ options, signal, actor, recordEffect }: Setting = {}) {
  const logged: { message: string; fields: unknown }[] = [];
  const log = (message: string, fields?: unknown): void => void logged.push({ message, fields });
  const ctx = {
    folder,
    signal: signal ?? new AbortController().signal,
    log: { info: log, warn: log, error: log },
    ...(actor === undefined ? {} : { actor }),
    maskFile: async () => undefined,
    async recordEffect(effect: Effect) {
      effects.push(effect);
      await recordEffect?.(effect);
    },
  } as unknown as EffectContext;
  const handlers = execHandlers({
    clock: systemClock,
    machine: machineIdentity(),
    environment: allowedEnvironment(["PATH"]),
    killGraceMs: 5_000,
    keptBytes: 1_073_741_824,
    tickMs: 50,
    ...options,
  });
  return { handlers, ctx, logged };
}

type Given = Partial<ExecInput> & Pick<ExecInput, "argv">;
const parse = (input: Given): ExecInput => exec.input.parse(input);

function run(input: Given, setting?: Setting): Promise<ExecResult> {
  const { handlers, ctx } = setUp(setting);
  return handlers.run(parse(input) as never, ctx) as Promise<ExecResult>;
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    (value) => ({ value }),
    (thrown: unknown) => thrown,
  );
  if (!isAppError(error)) throw error;
  return error;
}

/** Until a fact is there, at most 10 s. */
async function until(fact: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!fact()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${fact}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const sh = (script: string, ...args: readonly string[]): string[] => ["sh", "-c", script, "sh", ...args];

test("exit 0 completes, with the output as it is, its hashes, and the code in a file", async () => {
  const result = await run({ argv: sh("printf 'h\\303\\251 \\377\\n'; echo oops >&2") });
  const bytes = Buffer.concat([Buffer.from("h\u00e9 "), Buffer.from([0xff, 0x0a])]);
  expect(kept("stdout.txt")).toEqual(bytes);
  expect(kept("stderr.txt").toString()).toBe("oops\n");
  expect(kept("exit_code.txt").toString()).toBe("0\n");
  expect(result).toEqual({
    exit_code: 0,
    signal: null,
    duration_ms: expect.any(Number),
    stdout_sha256: sha256(bytes),
    stderr_sha256: sha256("oops\n"),
    stdout_bytes: bytes.length,
    stderr_bytes: 5,
  });
  expect(exec.result.parse(result)).toEqual(result);
  for (const name of readdirSync(join(folder, "exec"))) {
    expect(statSync(join(folder, "exec", name)).mode & 0o777).toBe(0o600);
  }
});

// Where sh does not announce signals (bash), these two codes cannot be told from a signal once sh has them.
const likeSignals = (await shellAnnounces("/bin/sh")) ? [129, 143] : [];

test.each([3, 126, 255, ...likeSignals])("exit %i is EXIT_NONZERO with the exact code and all facts", async (code) => {
  const error = await failure(run({ argv: sh(`echo out; echo one >&2; echo two >&2; exit ${code}`) }));
  expect(error.code).toBe("EXIT_NONZERO");
  expect(error.message).toBe(`the program exited with code ${code}; the last line of its stderr: two`);
  expect(error.details).toMatchObject({ exit_code: code, signal: null, stdout_sha256: sha256("out\n") });
  expect(error.details["stderr_tail"]).toBe("one\ntwo");
  expect(kept("exit_code.txt").toString()).toBe(`${code}\n`);
});

test.each(["TERM", "KILL", "INT", "QUIT", "ABRT", "PIPE"])(
  "a program that SIG%s ends is told from one that exits",
  async (signal) => {
    const error = await failure(run({ argv: sh(`kill -s ${signal} $$`) }));
    expect(error.details).toMatchObject({ exit_code: null, signal: `SIG${signal}` });
    expect(kept("exit_code.txt").toString()).toBe(`SIG${signal}\n`);
    expect(kept("stderr.txt").toString()).toBe("");
  },
);

test("a program gets its arguments unchanged, whatever is in them", async () => {
  const argument = fc.oneof(
    fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
    fc.constantFrom("", " ", "-n", "--", "$(id)", "`id`", "$HOME", "*", "\\", "'", '"', "a\nb", "\t", ";", "&", "é😀"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(argument, { maxLength: 8 }), async (args) => {
      await run({ argv: sh('for arg; do printf "%s\\0" "$arg"; done', ...args) });
      expect(kept("stdout.txt")).toEqual(Buffer.from(args.map((arg) => `${arg}\0`).join("")));
    }),
    { numRuns: 15 },
  );
});

test("five megabytes of bytes come through exactly", async () => {
  const source = join(folder, "source");
  const bytes = Buffer.alloc(5_000_000, Buffer.from(Array.from({ length: 251 }, (_, index) => index)));
  await writeFile(source, bytes);
  const result = await run({ argv: ["cat", source] });
  expect(result).toMatchObject({ stdout_bytes: 5_000_000, stdout_sha256: sha256(bytes) });
});

test("a program's environment is what was allowed and asked for, and nothing else", async () => {
  const environment = allowedEnvironment(["PATH", "TZ", "HOME"], { PATH: "/usr/bin:/bin", TZ: "UTC", LANG: "C" });
  await run(
    { argv: ["env", "-0"], env: { TZ: "CET", NAME: "a b\n'\"$x" } },
    { actor: "agent:codex", options: { environment } },
  );
  const variables = kept("stdout.txt").toString().split("\0").filter(Boolean).sort();
  expect(variables).toEqual([`NAME=a b\n'"$x`, "PATH=/usr/bin:/bin", "TZ=CET", "WINDLASS_ACTOR=agent:codex"]);
});

test("a program starts clean: its own session, no signal ignored or blocked", async () => {
  await run({ argv: sh("grep -E 'SigIgn|SigBlk' /proc/self/status; cut -d' ' -f5,6 /proc/$$/stat") });
  const lines = kept("stdout.txt").toString().trim().split("\n");
  const [session] = lines.at(-1)?.split(" ") ?? [];
  expect(lines.at(-1)).toBe(`${session} ${session}`);
  expect(Number(session)).toBe(effects[0]?.facts["pid"]);
  expect(lines.filter((line) => line.startsWith("Sig"))).toEqual([
    "SigBlk:\t0000000000000000",
    "SigIgn:\t0000000000000000",
  ]);
});

test("a program holds none of the worker's descriptors", async () => {
  await run({ argv: ["ls", "-l", "/proc/self/fd"] });
  const targets = kept("stdout.txt")
    .toString()
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(" -> ")[1] ?? "");
  const strange = targets.filter(
    (path) => path !== "/dev/null" && !path.startsWith(folder) && !/^\/proc\/\d+\/fd$/.test(path),
  );
  expect(strange).toEqual([]);
});

test("stdin is delivered whole, its file is gone, and without one there is nothing to read", async () => {
  const text = `first\né\n${"x".repeat(200_000)}`;
  await run({ argv: sh('ls "$1"; cat', join(folder, "exec")), stdin: text });
  expect(kept("stdout.txt").toString()).toBe(`exit_code.part\nstderr.txt\nstdout.txt\n${text}`);
  await run({ argv: ["cat"] });
  expect(kept("stdout.txt").length).toBe(0);
});

test("the program is recorded, with its parent's number, before it runs", async () => {
  const proof = join(folder, "ran");
  let seen: { ran: boolean; alive: boolean } | undefined;
  await run(
    { argv: ["touch", proof] },
    {
      async recordEffect({ facts }) {
        seen = { ran: existsSync(proof), alive: procTable.read(Number(facts["pid"])) !== undefined };
      },
    },
  );
  expect(seen).toEqual({ ran: false, alive: true });
  expect(existsSync(proof)).toBe(true);
  expect(effects).toHaveLength(1);
  expect(effects[0]).toEqual({
    machine: machineIdentity(),
    facts: {
      pid: expect.any(Number),
      start_time: expect.stringMatching(/^\d+$/),
      nonce: expect.stringMatching(/^[0-9a-f-]{36}$/),
      started_at_ms: expect.any(Number),
    },
  });
});

test("a program whose effect cannot be recorded, or whose attempt was stopped meanwhile, never runs", async () => {
  const proof = join(folder, "ran");
  const lost = Object.assign(new Error("lost"), { code: "LEASE_LOST" });
  expect(await failure(run({ argv: ["touch", proof] }, { recordEffect: () => Promise.reject(lost) }))).toBe(lost);
  const stop = new AbortController();
  const error = await failure(
    run({ argv: ["touch", proof] }, { signal: stop.signal, recordEffect: async () => stop.abort("cancelled") }),
  );
  expect(error.code).toBe("CANCELLED");
  expect(existsSync(proof)).toBe(false);
});

test("a program that cannot be started says what is wrong with it and what to do", async () => {
  const script = join(folder, "my-script");
  await writeFile(script, "#!/bin/sh\n");
  await symlink("/nowhere", join(folder, "my-link"));
  const environment = { PATH: `.::${folder}:/usr/bin` };
  const refusal = async (input: Given): Promise<string> => {
    const error = await failure(run(input, { options: { environment } }));
    expect([error.code, error.details]).toEqual(["PROGRAM_NOT_STARTED", { transient: false }]);
    return error.message;
  };
  expect(await refusal({ argv: ["no-such-program"] })).toMatch(
    /^program "no-such-program" is not on PATH .*absolute path/,
  );
  expect(await refusal({ argv: ["/no/such"] })).toBe("program /no/such does not exist; check argv[0]");
  expect(await refusal({ argv: ["./no", "x"], cwd: folder })).toMatch(`program ${folder}/no does not exist`);
  expect(await refusal({ argv: ["my-script"] })).toMatch(/cannot be executed by this worker; make it executable/);
  expect(await refusal({ argv: [folder] })).toMatch(/is not a file; name the program itself/);
  expect(await refusal({ argv: ["my-link"] })).toMatch(/is not on PATH/);
  expect(await refusal({ argv: ["true"], cwd: "/no/such" })).toMatch(
    /^cwd \/no\/such does not exist on this machine; create it/,
  );
  expect(await refusal({ argv: ["true"], cwd: script })).toMatch(/is not a folder/);
  expect(await refusal({ argv: ["true", "x".repeat(3_000_000)] })).toMatch(
    /^argv has 30\d+ bytes .*: more than this system takes/,
  );
  const leak = await refusal({ argv: ["true"], env: { A: "s3cret\0" as string } }).catch((error: unknown) =>
    String(error),
  );
  expect(leak).not.toContain("s3cret");
  expect(effects).toEqual([]);
  await chmod(script, 0o700);
  expect((await run({ argv: ["my-script"] }, { options: { environment } })).exit_code).toBe(0);
  expect((await run({ argv: ["./my-script"], cwd: folder }, { options: { environment } })).exit_code).toBe(0);
});

test("it runs where cwd says", async () => {
  await run({ argv: ["pwd"], cwd: folder });
  expect(kept("stdout.txt").toString()).toBe(`${folder}\n`);
});

test("exec.uid runs the program as that user and its group, without the worker's", async ({ skip }) => {
  skip(process.geteuid?.() !== 0, "needs root, who runs programs as another account");
  await run(
    { argv: sh("id -u; id -g; id -G; echo through >>/dev/stdout; cat"), stdin: "in" },
    { options: { uid: 65_534 } },
  );
  const group = execFileSync("id", ["-g", "65534"]).toString().trim();
  expect(kept("stdout.txt").toString()).toBe(`65534\n${group}\n${group}\nthrough\nin`);
  expect(kept("exit_code.txt").toString()).toBe("0\n");
});

test("output is held at its limit while the program writes, and the log says what was dropped", async () => {
  const { handlers, ctx, logged } = setUp({ options: { keptBytes: 1_000, tickMs: 5 } });
  const stdout = join(folder, "exec/stdout.txt");
  const done = join(folder, "done");
  const script = 'while [ ! -e "$1" ]; do echo 0123456789012345678901234567890123456789; done; echo last';
  const ended = handlers.run(parse({ argv: sh(script, done) }) as never, ctx) as Promise<ExecResult>;
  const marked = (): boolean => existsSync(stdout) && readFileSync(stdout, "latin1").includes("[windlass: cut");
  await until(marked);
  // The program goes on at the new end of the file, so a second cut finds more to drop.
  await until(() => marked() && statSync(stdout).size > 1_100);
  writeFileSync(done, "");
  const result = await ended;
  const mark = "\n[windlass: cut after 1000 bytes]\n";
  expect(result.stdout_bytes).toBe(1_000 + mark.length);
  expect(kept("stdout.txt").toString().slice(1_000)).toBe(mark);
  expect(result.stdout_sha256).toBe(sha256(kept("stdout.txt")));
  expect(logged).toEqual([
    { message: "stdout was cut", fields: { kept_bytes: 1_000, dropped_bytes: expect.any(Number) } },
  ]);
});

test.each(["cancelled", "timeout"] as const)(
  "%s: the program's own TERM handler runs, then all of it is gone",
  async (reason) => {
    const stop = new AbortController();
    const { handlers, ctx } = setUp({ signal: stop.signal });
    const script = 'trap "echo bye; exit 7" TERM; sleep 60 & (sleep 61 & sleep 62) & echo ready; wait';
    const ended = handlers.run(parse({ argv: sh(script) }) as never, ctx) as Promise<ExecResult>;
    await until(() => existsSync(join(folder, "exec/stdout.txt")) && kept("stdout.txt").toString() === "ready\n");
    stop.abort(reason);
    const error = await failure(ended);
    expect(error.code).toBe(reason === "timeout" ? "TIMEOUT" : "CANCELLED");
    expect(error.details).toEqual({ exit_code: 7, signal: null });
    expect(kept("stdout.txt").toString()).toBe("ready\nbye\n");
    expect(kept("exit_code.txt").toString()).toBe("7\n");
  },
);

test("what does not hear a TERM is killed after the grace: the program, its children, and what left its group", async () => {
  const stop = new AbortController();
  const { handlers, ctx } = setUp({ signal: stop.signal, options: { killGraceMs: 50 } });
  // `set -m` gives a background process a group of its own; it stays in the session.
  const script = `trap "" TERM; sleep 60 & bash -c 'set -m; sleep 61 & echo ready; wait' & wait`;
  const ended = handlers.run(parse({ argv: sh(script) }) as never, ctx) as Promise<ExecResult>;
  await until(() => existsSync(join(folder, "exec/stdout.txt")) && kept("stdout.txt").toString() === "ready\n");
  const pid = Number(effects[0]?.facts["pid"]);
  expect(procTable.members(pid).some(({ group }) => group !== pid)).toBe(true);
  stop.abort("cancelled");
  expect((await failure(ended)).details).toEqual({ exit_code: null, signal: "SIGKILL" });
  expect(procTable.members(pid)).toEqual([]);
});

test("what a program leaves running in its group ends with it, and the log says so", async () => {
  const { handlers, ctx, logged } = setUp({ options: { killGraceMs: 50 } });
  const argv = sh(
    "(trap '' TERM; echo ready; sleep 60) & read line <&0; while ! grep -q ready \"$1\"; do :; done",
    join(folder, "exec/stdout.txt"),
  );
  const result = (await handlers.run(parse({ argv }) as never, ctx)) as ExecResult;
  expect(result.exit_code).toBe(0);
  expect(logged).toEqual([
    { message: "the program left processes behind, which were ended", fields: { processes: expect.any(Number) } },
  ]);
});

test.each(["stopping", "lease_lost"] as const)(
  "%s: the program is left to the next worker, which takes it over",
  async (reason) => {
    const stop = new AbortController();
    const { handlers, ctx } = setUp({ signal: stop.signal });
    const done = join(folder, "done");
    const input = parse({ argv: sh('echo ready; while [ ! -e "$1" ]; do sleep 0.005; done; exit 4', done) }) as never;
    const ended = handlers.run(input, ctx) as Promise<ExecResult>;
    await until(() => existsSync(join(folder, "exec/stdout.txt")) && kept("stdout.txt").toString() === "ready\n");
    stop.abort(reason);
    expect((await failure(ended)).code).toBe(reason === "stopping" ? "CANCELLED" : "LEASE_LOST");
    const [effect] = effects;
    if (effect === undefined || handlers.adopt === undefined) throw new Error("nothing recorded");
    const adopted = handlers.adopt(input, effect, setUp().ctx);
    await writeFile(done, "");
    expect((await failure(adopted)).details).toMatchObject({ exit_code: 4 });
  },
);

test("a check says that the work is done by exit 0, that it is not by another code, and else nothing", async () => {
  const check = (check_argv?: readonly string[]): Promise<unknown> => {
    const { handlers, ctx } = setUp();
    return (
      handlers.check?.(
        parse({ argv: ["false"], stdin: "x", ...(check_argv ? { check_argv: [...check_argv] } : {}) }) as never,
        ctx,
      ) ?? Promise.resolve()
    );
  };
  expect(await check(sh("echo there; cat"))).toMatchObject({ exit_code: 0, stdout_sha256: sha256("there\n") });
  expect(kept("exit_code.txt").toString()).toBe("0\n");
  expect(await check(["false"])).toBeUndefined();
  expect(existsSync(join(folder, "exec"))).toBe(false);
  expect(await check()).toBeUndefined();
  expect((await failure(check(["no-such-program"]))).code).toBe("OUTCOME_UNKNOWN");
  expect((await failure(check(sh("kill -s KILL $$")))).code).toBe("OUTCOME_UNKNOWN");
  expect(effects).toEqual([]);
});
