import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

let folder: CliFolder;
beforeAll(() => {
  folder = new CliFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Runs a line of shell in which `$W` is the program. */
async function shell(line: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn("sh", ["-c", line], {
    cwd: folder.path,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: folder.path, W: folder.program, ...env },
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, ...texts };
}

describe.concurrent("standard input and output", () => {
  test("input comes from standard input, a file, a pipe by its name, and is UTF-8", async () => {
    const json = JSON.stringify({ argv: ["printf", "%s", 'gr\u00fc\u00df \u{1f642} "=\\'] });
    const file = folder.write("input.json", json);
    const expected = 'gr\u00fc\u00df \u{1f642} "=\\';
    expect((await folder.call(["run", "exec", "--input-json", "-"], { stdin: json })).stdout).toBe(expected);
    expect((await folder.call(["run", "exec", "--input-json", `@${file}`])).stdout).toBe(expected);
    expect((await folder.call(["run", "exec", "--input-json", "@input.json"])).stdout).toBe(expected);
    const piped = await shell(`mkfifo in.pipe; cat input.json > in.pipe & $W run exec --input-json @in.pipe`);
    expect(piped).toMatchObject({ status: 0, stdout: expected });
  });

  test("standard input that is closed is an empty one", async () => {
    expect(await shell("$W run exec --input-json - <&-")).toMatchObject({ status: 2, stdout: "" });
    expect(await shell("$W run exec -- cat <&-")).toMatchObject({ status: 0, stdout: "" });
  });

  test("a job does not read the standard input of its caller", async () => {
    expect(await folder.call(["run", "exec", "--", "cat"], { stdin: "not for the job" })).toMatchObject({
      status: 0,
      stdout: "",
    });
  });

  test("closed standard output or error does not change the outcome", async () => {
    expect((await shell("$W run exec -- echo hi >&-")).status).toBe(0);
    expect(await shell("$W run exec -- echo hi 2>&-")).toMatchObject({ status: 0, stdout: "hi\n" });
  });

  test.each(["--help", "config show", "jobs stats", "version", "completion bash"])(
    "%s | head -1 is no error and says nothing more",
    async (args) => {
      await folder.call(["run", "exec", "--", "true"]);
      const { status, stdout, stderr } = await shell(`{ $W ${args}; echo $? >&2; } | head -1`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "0\n" });
      expect(stdout.split("\n")).toHaveLength(2);
    },
  );

  test.skipIf(!existsSync("/dev/full"))("output that a full disk did not take is told, with status 1", async () => {
    await folder.call(["run", "exec", "--", "true"]);
    for (const args of ["--help", "jobs list", "jobs list --json", "run exec -- echo hi"]) {
      const { status, stderr } = await shell(`$W ${args} > /dev/full`);
      expect({ status, args }).toEqual({ status: 1, args });
      expect(stderr).toContain('msg="standard output cannot be written" err="ENOSPC');
    }
  });

  test("logs are one line an event in ASCII, in the order of the head, whatever the texts", async () => {
    const { status, stderr } = await folder.call(["run", 'gr\u00fc\u00df\n\t"=\\ \u{1f642}', "--", "x"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z level=error component=cli op=run msg="run failed" err="[\x20-\x7e]*"\n$/,
    );
    expect(pairsOf(stderr)["err"]).toContain(JSON.stringify('gr\u00fc\u00df\n\t"=\\ \u{1f642}'));
    expect(stderr).toContain("\\u00fc");
    expect(stderr).toContain("\\ud83d\\ude42");
  });

  test("--quiet leaves warnings and errors, and takes the rest away", async () => {
    expect(await folder.call(["--quiet", "run", "exec", "--", "echo", "hi"])).toMatchObject({ stdout: "", stderr: "" });
    const warned = await folder.call(["jobs", "enqueue", "--quiet", "--type", "exec", "--delay", "1h", "--", "true"]);
    expect(pairsOf(warned.stderr)).toMatchObject({ level: "warn" });
    const failed = await folder.call(["run", "exec", "--quiet", "--", "false"]);
    expect(failed).toMatchObject({ status: 1, stderr: expect.stringContaining("EXIT_NONZERO") });
  });

  test("the time zone of the caller changes nothing that is printed", async () => {
    await folder.call(["jobs", "enqueue", "--type", "exec", "--delay", "1h", "--metadata", "zone=x", "--", "true"]);
    const args = ["jobs", "list", "--metadata", "zone=x"];
    const { stdout } = await folder.call(args, { env: { TZ: "Pacific/Auckland" } });
    expect(stdout).toMatch(/ queued_at=\S+Z\n$/);
    expect((await folder.call(args, { env: { TZ: "America/New_York" } })).stdout).toBe(stdout);
  });
});

describe.concurrent("where the database is", () => {
  test("an empty, a relative and no HOME lead to the home of the account, never to the working folder", async () => {
    const outside = new CliFolder();
    await using _ = outside;
    rmSync(join(outside.path, ".windlass"), { recursive: true });
    for (const line of ["HOME= $W config show", "HOME=relative $W config show", "unset HOME; $W config show"]) {
      const { stdout } = await shell(`cd ${outside.path}; ${line}`);
      expect(stdout).toMatch(/^key=database\.path value=\/\S*\.local\/state\/windlass\/windlass\.db$/m);
      expect(stdout).not.toContain(`value=${outside.path}`);
    }
  });

  test("a state folder is made for its owner alone; one that cannot be made is named, with status 2", async () => {
    const outside = new CliFolder();
    await using _ = outside;
    rmSync(join(outside.path, ".windlass"), { recursive: true });
    const enqueue = ["jobs", "enqueue", "--type", "exec", "--", "true"];
    const state = join(outside.path, "state");
    expect((await outside.call(enqueue, { env: { XDG_STATE_HOME: state } })).status).toBe(0);
    expect(execFileSync("stat", ["-c", "%a", join(state, "windlass")], { encoding: "utf8" })).toBe("700\n");
    const file = outside.write("file", "");
    // A file in the way, and a file system in which nobody can make a folder.
    for (const place of [join(file, "below"), ...(existsSync("/proc/self") ? ["/proc/none"] : [])]) {
      const { status, value } = await outside.json(enqueue, { env: { XDG_STATE_HOME: place } });
      expect({ status, code: value["code"] }).toEqual({ status: 2, code: "DATABASE_UNWRITABLE" });
      expect(value["error"]).toContain(place);
    }
  });

  test("a pipe in its place is refused at once", async () => {
    execFileSync("sh", ["-c", "mkfifo db.pipe"], { cwd: folder.path });
    for (const args of [
      ["jobs", "list"],
      ["jobs", "enqueue", "--type", "exec", "--", "true"],
      ["doctor"],
      ["db", "check"],
    ]) {
      const { status, stdout, stderr } = await folder.call(["--db", "db.pipe", ...args]);
      expect({ args, status }).toEqual({ args, status: args[0] === "doctor" || args[0] === "db" ? 1 : 2 });
      expect(stdout + stderr).toContain("db.pipe is a pipe");
    }
  });

  test("its name may be any text: spaces, other scripts, what looks like a URI", async () => {
    for (const name of ["a b.db", "\u6f22.db", "file:x.db?mode=memory", ":memory:", "-x.db"]) {
      const call = ["jobs", "enqueue", "--type", "exec", "--delay", "1h", `--db=${name}`, "--", "true"];
      expect((await folder.call(call)).status).toBe(0);
      expect(existsSync(join(folder.path, name))).toBe(true);
    }
  });

  test("a link in the place of .windlass leads to where it points", async () => {
    const outside = new CliFolder();
    await using _ = outside;
    rmSync(join(outside.path, ".windlass"), { recursive: true });
    symlinkSync(join(folder.path, ".windlass"), join(outside.path, ".windlass"));
    await folder.call(["jobs", "enqueue", "--type", "exec", "--delay", "1h", "--metadata", "link=yes", "--", "true"]);
    expect((await outside.call(["jobs", "list", "--metadata", "link=yes"])).stdout).toMatch(/^job_id=/);
  });
});

describe("a project of another account", () => {
  const isRoot = process.getuid?.() === 0;

  test("is refused with what to type, from the folder and below it; help and version work", async ({ skip }) => {
    if (!isRoot) return skip("only root can give a folder to another account");
    const theirs = new CliFolder();
    await using _ = theirs;
    const marker = join(theirs.path, "loaded");
    theirs.write("evil.mjs", `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, "");`);
    theirs.write(".windlass/config.yaml", "jobs: [evil.mjs]\n");
    const mark = join(theirs.path, ".windlass");
    chownSync(mark, 4711, 4711);
    mkdirSync(join(theirs.path, "below"));
    for (const cwd of [theirs.path, join(theirs.path, "below")]) {
      for (const args of [
        ["jobs", "list"],
        ["run", "exec", "--", "true"],
        ["worker"],
        ["doctor"],
        ["config", "show"],
      ]) {
        const { status, stdout, stderr } = await theirs.call(args, { cwd });
        expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: "" });
        expect(stderr).toMatch(
          /^config error: \S+\.windlass belongs to another account \(uid 4711; you are 0\), .*--db PATH/,
        );
      }
    }
    expect(existsSync(marker)).toBe(false);
    expect((await theirs.call(["--help"])).status).toBe(0);
    expect((await theirs.call(["version"])).status).toBe(0);
    expect((await theirs.call(["run", "exec", "--help"])).status).toBe(0);
    const db = join(mark, "windlass.db");
    const named = await theirs.call(["--db", db, "run", "exec", "--", "echo", "mine"]);
    expect(named).toMatchObject({ status: 0, stdout: "mine\n" });
    expect(named.stderr).toContain("is not read, because it belongs to another account");
    expect(existsSync(marker)).toBe(false);
  });
});

test("a project folder that cannot be written is named, and nothing hangs", async ({ skip }) => {
  if (process.getuid?.() === 0) return skip("root may write everywhere");
  const own = new CliFolder();
  await using _ = own;
  chmodSync(join(own.path, ".windlass"), 0o500);
  const { status, value } = await own.json(["jobs", "enqueue", "--type", "exec", "--", "true"]);
  chmodSync(join(own.path, ".windlass"), 0o700);
  expect({ status, code: value["code"] }).toEqual({ status: 2, code: "DATABASE_UNWRITABLE" });
});

test("what the program wrote can be read back by the rule and by nothing else", async () => {
  writeFileSync(join(folder.path, "texts.txt"), 'plain\n a b \n"q" = \\ \u00fc\n\t\n');
  const { stderr } = await folder.call(["run", "exec", "--", "cat", "texts.txt"]);
  const logs = await folder.call(["jobs", "logs", pairsOf(stderr)["job_id"] ?? ""]);
  const texts = logs.stdout.split("\n").filter((line) => line.startsWith("stream="));
  expect(texts).toEqual([
    "stream=stdout text=plain",
    'stream=stdout text=" a b "',
    'stream=stdout text="\\"q\\" = \\\\ \\u00fc"',
    'stream=stdout text="\\t"',
  ]);
  expect(texts.map((line) => pairsOf(line)["text"])).toEqual(["plain", " a b ", '"q" = \\ \u00fc', "\t"]);
});
