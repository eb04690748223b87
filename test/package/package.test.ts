import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacks } from "../support/system.ts";
import { codeBlocks } from "./code-blocks.ts";
import { InstalledPackage, ROOT } from "./installed-package.ts";
import { olderNode } from "./older-node.ts";
import { addEntry, RECIPE, recipeForUsers } from "./recipe.ts";
import { shownRuns, withoutIds } from "./shown-runs.ts";
import { runProgram } from "./started-program.ts";

const COMPILER = {
  module: "nodenext",
  target: "esnext",
  lib: ["es2024", "esnext.disposable"],
  types: ["node"],
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
};

let user: InstalledPackage;

beforeAll(async () => {
  user = await InstalledPackage.create();
}, 120_000);

afterAll(() => user?.[Symbol.asyncDispose]());

describe("the first ten minutes", () => {
  test("run a program, store a job, start a worker, ask why", async () => {
    const echo = await user.types("windlass run exec -- echo hi");
    expect(echo).toMatchObject({ code: 0, stdout: "hi\n" });
    expect((await user.types("windlass run exec -- false")).code).toBe(1);

    const stored = await user.types(`windlass jobs enqueue --type exec --input-json '{"argv":["sleep","5"]}'`);
    expect(stored.code).toBe(0);
    const jobId = /^job_id=(\S+) state=queued trace_id=\S+\n$/.exec(stored.stdout)?.[1] ?? stored.stdout;
    expect(stored.stderr).toContain("no live worker serves exec");
    expect(stored.stderr).toContain("windlass worker");

    const before = await user.types(`windlass jobs explain ${jobId}`);
    expect(before.code).toBe(0);
    expect(before.stdout).toContain("No worker is running; start one with `windlass worker`");

    const worker = user.startWindlass("worker");
    await worker.prints(`job_id=${jobId}`);
    expect((await user.types(`windlass jobs explain ${jobId}`)).stdout).toContain("It runs now: attempt 1");
    expect((await user.types(`windlass jobs wait ${jobId}`)).code).toBe(0);
    const stopped = await worker.stop();
    expect(stopped.code).toBe(0);
    expect(stopped.stderr).toContain("database=");
    expect((await user.types(`windlass jobs status ${jobId}`)).stdout).toContain("state=completed");
  });

  test("ask the doctor while a worker runs", async () => {
    const worker = user.startWindlass("worker");
    await worker.prints("worker started");
    const { code, stdout, stderr } = await user.types("windlass doctor");
    expect(code, stdout + stderr).toBe(0);
    expect((await worker.stop()).code).toBe(0);
  });

  test("the old name is the same program", async () => {
    const [old, now] = [await user.types("win-automation version"), await user.types("windlass version")];
    expect(old).toEqual(now);
    expect(old).toMatchObject({ code: 0, stdout: expect.stringMatching(/^version=\d+\.\d+\.\d+ commit=\w+\n$/) });
  });

  test("the package holds the program and no tests", () => {
    const folder = join(user.folder, "node_modules", "windlass");
    const files = readdirSync(folder, { recursive: true }).map(String);
    expect(files.filter((file) => file.includes(".test."))).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(expect.arrayContaining(["LICENSE", "dist", "package.json"]));
    expect(existsSync(join(folder, "src"))).toBe(false);
    const notices = readFileSync(join(folder, "dist", "LICENSES"), "utf8");
    expect(notices.match(/^\S+ \d+\.\d+\.\d+$/gm)?.map((line) => line.split(" ")[0])).toEqual([
      "croner",
      "yaml",
      "zod",
    ]);
  });
});

describe("the library as users have it", () => {
  const examples = readdirSync(join(ROOT, "examples")).filter((name) => name.endsWith(".ts"));
  const files = [
    ...examples.map((name) => ({ name: `examples/${name}`, text: readFileSync(join(ROOT, "examples", name), "utf8") })),
    ...codeBlocks("docs/library.md").map(({ name, text }) => ({ name: `library/${name}`, text })),
    ...codeBlocks("docs/durable-jobs.md").map(({ name, text }) => ({ name: `durable-jobs/${name}`, text })),
    ...codeBlocks("docs/approvals.md").map(({ name, text }) => ({ name: `approvals/${name}`, text })),
    ...codeBlocks("README.md").map(({ name, text }) => ({ name: `readme/${name}`, text })),
    ...recipeForUsers().map(({ name, text }) => ({ name: `recipe/${name}`, text })),
  ];

  beforeAll(() => {
    for (const { name, text } of files) user.write(name, text);
    for (const name of ["@types/node", "undici-types", "vitest"]) user.link(name);
  });

  test("examples and documents are sound under the packed types", async () => {
    const include = files.map(({ name }) => name);
    user.write("tsconfig.json", JSON.stringify({ compilerOptions: { ...COMPILER, skipLibCheck: false }, include }));
    expect(await user.tsc("tsconfig.json")).toMatchObject({ stdout: "", code: 0 });
  });

  test("wrong inputs and results do not compile against the packed types either", async () => {
    const text = readFileSync(join(ROOT, "src/library/types.test.ts"), "utf8");
    user.write("types.ts", text.replace('"../index.ts"', '"windlass"'));
    const options = { ...COMPILER, skipLibCheck: true };
    user.write("tsconfig.types.json", JSON.stringify({ compilerOptions: options, include: ["types.ts"] }));
    expect(await user.tsc("tsconfig.types.json")).toMatchObject({ stdout: "", code: 0 });
  });

  test("every example is one command, which prints what its page shows, and no error", async () => {
    const runs = shownRuns("examples/README.md");
    for (const { command, output } of runs) {
      if (command.includes("approval") && lacks("ssh") !== undefined) continue;
      const { stdout, ...ended } = await user.types(command);
      const shown = { code: 0, stdout: withoutIds(output), stderr: "" };
      expect({ ...ended, stdout: withoutIds(stdout) }, command).toEqual(shown);
    }
    expect(runs.map(({ command }) => command).sort()).toEqual(examples.map((name) => `node examples/${name}`).sort());
    expect((await user.types("node examples/jobs.ts")).stdout).toContain(
      "report (from before): completed in attempt 2",
    );
  }, 60_000);

  test("the program runs the types of an example", async () => {
    const input = '{"customer":"ada","orders":[3,4]}';
    const line = `windlass run shop.report --jobs examples/jobs.ts --input-json '${input}' --json`;
    const { code, stdout } = await user.types(line);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: "completed", result: { total: 7 } });
  });

  test("every file of docs/library.md runs", async () => {
    const worker = user.startNode("library/worker.ts");
    await worker.prints("worker ");
    const programs = files.filter(({ name }) => name.startsWith("library/") && name !== "library/worker.ts");
    for (const { name } of programs) {
      const { code, stderr } = await user.node(name);
      expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: "" });
    }
    expect((await worker.stop()).code).toBe(0);
    expect(programs.length).toBeGreaterThan(8);
  });

  test("the library in ten lines, as the README has it", async () => {
    const programs = files.filter(({ name }) => /^readme\/block-/.test(name));
    expect(programs).toHaveLength(1);
    const { code, stdout, stderr } = await user.node(programs[0]?.name ?? "");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^[0-9a-f-]{36}\nHello, world!\n$/);
  });

  test("the recipe's own job type runs as the recipe says", async () => {
    const run = await user.types("windlass run app.checksum --jobs ./jobs.ts --path /etc/hostname --json", "recipe");
    expect(run.code, run.stderr).toBe(0);
    const { job_id: jobId } = JSON.parse(run.stdout) as { job_id: string };
    expect((await user.types(`windlass artifacts list ${jobId}`)).stdout).toContain("checksum/sha256.txt");

    const worker = user.startWindlass("worker", "--jobs", "recipe/jobs.ts");
    await worker.prints("worker started");
    // Without the file: the worker has published its types.
    const line = `windlass jobs enqueue --type app.checksum --input-json '{"path":"/etc/hostname"}' --watch`;
    const watched = await user.types(line);
    expect(watched, watched.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("state=completed") });
    const wrong = await user.types(line.replace("path", "pth"));
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("INVALID_INPUT") });
    expect((await worker.stop()).code).toBe(0);
  });

  test("the recipe's built-in job type runs when its files are added", async () => {
    for (const { name, text } of codeBlocks(RECIPE)) {
      if (!name.startsWith("src/")) continue;
      const path = join(user.source, name);
      if (!existsSync(path)) user.write(path, text);
      else user.write(path, addEntry(readFileSync(path, "utf8"), text));
    }
    const tsc = join(ROOT, "node_modules", ".bin", "tsc");
    const sound = await user.types(`${tsc} -p tsconfig.build.json --noEmit`, user.source);
    expect(sound).toMatchObject({ stdout: "", code: 0 });
    const run = await user.types("node src/bin.ts run disk.free --path / --json", user.source);
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ result: { bytes: expect.any(Number) } });
  });
});

describe("an older Node", () => {
  test("is told so, and exits with 2", async ({ skip }) => {
    const older = await olderNode(user);
    if (older === undefined) skip("no older Node on PATH; any Node before 24.15 outside node_modules will do");
    const bin = join(user.folder, "node_modules", "windlass", "dist", "bin.js");
    const { code, stderr } = await runProgram(older ?? "", [bin, "version"], { cwd: user.folder, env: user.env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^windlass needs Node\.js 24\.15 or newer; this is v[\d.]+ \(.+\)\.\n$/);
  });

  test("so is one that only says that it is older", async () => {
    const bin = join(user.folder, "node_modules", "windlass", "dist", "bin.js");
    const pretend = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '24.14.9' } })";
    const args = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, bin, "version"];
    const { code, stdout, stderr } = await runProgram(process.execPath, args, { cwd: user.folder, env: user.env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("windlass needs Node.js 24.15 or newer");
  });
});
