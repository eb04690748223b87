import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliFolder, pairsOf } from "../support/cli.ts";

const MISSING = "script is missing; install util-linux";
const ESCAPE = "\u001b";

const JOBS = `
import { existsSync } from "node:fs";
import { z } from "${new URL("../../node_modules/zod/index.js", import.meta.url).href}";
import { defineJob } from "${new URL("../../src/job/definition.ts", import.meta.url).href}";
export const steps = defineJob({
  name: "app.steps",
  input: z.strictObject({ until: z.string() }),
  run: async ({ until }, ctx) => {
    ctx.progress({ done: 1, total: 2, message: "half \\u001b]0;way" });
    while (!existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 20));
    ctx.log.info("almost there");
    return "all";
  },
});
`;

/** Ends when the file `watched` is there. */
const HELD = "while [ ! -e watched ]; do sleep 0.05; done";

let folder: CliFolder;
beforeAll(() => {
  folder = new CliFolder();
  folder.write("jobs.ts", JOBS);
});
afterAll(() => folder[Symbol.asyncDispose]());

describe.concurrent("on a terminal", () => {
  test("who types nothing sees what to type first, and the commands in short", async ({ skip }) => {
    const shown = await folder.onTerminal([]);
    if (shown === undefined) return skip(MISSING);
    const lines = stripVTControlCharacters(shown).split("\n");
    expect(lines).toContain("  windlass run exec -- echo hi               Run something here and now.");
    expect(shown).not.toContain("Deprecated");
    expect(lines.length).toBeLessThan(40);
    // A pipe gets the same, without colour.
    const { status, stdout } = await folder.call([]);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining("Start here:\n") });
    expect(stdout).toMatch(/^ {2}jobs +enqueue, status, wait, cancel, retry, emit, logs, explain, list, stats$/m);
  });

  test.each([60, 80, 100])("help fits %i columns, and a pipe has each text on one line", async (columns) => {
    for (const args of [["--help"], ["jobs", "enqueue", "--help"], ["jobs"]]) {
      const shown = await folder.onTerminal(args, { columns });
      if (shown === undefined) return;
      const long = stripVTControlCharacters(shown)
        .split("\n")
        // A usage, a flag with all its choices, and the name of a variable are not broken.
        .filter((line) => line.length >= columns && !/^( *--|Usage|`windlass| {2}WINDLASS_| {2}Each)/.test(line));
      expect(long).toEqual([]);
    }
    expect((await folder.call(["--help"])).stdout).toMatch(/^ {2}--db PATH .*WINDLASS_DB\)$/m);
  });

  test("a job that completed and one that failed are told in a line each", async ({ skip }) => {
    const good = await folder.onTerminal(["run", "exec", "--", "echo", "hi"]);
    if (good === undefined) return skip(MISSING);
    expect(stripVTControlCharacters(good)).toMatch(/^hi\ninfo: job completed in \S+ job_id=[0-9a-f-]{36}\n$/);
    const bad = (await folder.onTerminal(["run", "exec", "--", "false"])) ?? "";
    expect(bad).toContain(`${ESCAPE}[31mEXIT_NONZERO${ESCAPE}[0m: the program exited with code 1\n`);
    expect(bad).toMatch(/job failed; `windlass jobs logs [0-9a-f-]{36}` tells what happened\n$/);
  });

  test("a job without output of its own shows how far it is; what it logs stands above, and nothing is left", async ({
    skip,
  }) => {
    const shown = await folder.onTerminal(
      ["run", "app.steps", "--jobs", "jobs.ts", "--until", join(folder.path, "go")],
      {
        columns: 120,
        onText: (text) => text.includes("1/2 [") && folder.write("go", ""),
      },
    );
    if (shown === undefined) return skip(MISSING);
    const drawn = shown.split(`\r${ESCAPE}[2K`);
    expect(drawn.some((line) => /app\.steps {2}\S+ {2}running .* 1\/2 \[#{10} {10}\] half/.test(line))).toBe(true);
    // An escape that came from the job is shown, not obeyed.
    expect(shown).not.toContain(`${ESCAPE}]0;`);
    expect(drawn).toContainEqual(
      expect.stringMatching(/^ts=\S+ level=info component=job op=app\.steps msg="almost there"\n/),
    );
    const rest = stripVTControlCharacters(drawn.at(-1) ?? "");
    expect(rest).toMatch(/^job_id {2}\S+\nstate {3}completed\nresult {2}all\ninfo: job completed in \S+ job_id=\S+\n$/);
  });

  test("doctor marks each check and says what to do under what is wrong", async ({ skip }) => {
    const own = new CliFolder();
    await using _ = own;
    await own.call(["jobs", "enqueue", "--type", "exec", "--", "true"]);
    const shown = await own.onTerminal(["doctor"]);
    if (shown === undefined) return skip(MISSING);
    expect(shown).toContain(`${ESCAPE}[32m✓${ESCAPE}[0m node `);
    expect(shown).toContain(`${ESCAPE}[33m!${ESCAPE}[0m unserved_jobs   no live worker serves exec (1 job)\n`);
    expect(shown).toContain(`${ESCAPE}[1m\`windlass worker\`${ESCAPE}[0m\n`);
    expect(shown).toMatch(/\nNothing is broken; there is 1 warning, and what to do stands beside\.\n$/);
    expect(await own.onTerminal(["doctor", "--strict"])).toMatch(/\nSomething is wrong; [^\n]+\n$/);
  });

  test("a job that is watched shows one line that lives, and then what it came to", async ({ skip }) => {
    const worker = await folder.worker();
    const { stdout } = await folder.call(["jobs", "enqueue", "--type", "exec", "--", "sh", "-c", HELD]);
    const shown = await folder.onTerminal(["jobs", "status", pairsOf(stdout)["job_id"] ?? "", "--watch"], {
      onText: (text) => text.includes("running") && folder.write("watched", ""),
    });
    worker.kill("SIGTERM");
    if (shown === undefined) return skip(MISSING);
    // Each drawing wipes the line, and the last one leaves nothing.
    expect(shown.split("\r").length).toBeGreaterThan(2);
    expect(shown).toContain(`\r${ESCAPE}[2K`);
    const last = shown.slice(shown.lastIndexOf(`\r${ESCAPE}[2K`));
    expect(last).toMatch(/state[^\n]*completed/);
    expect(last).toContain("job_id");
  });

  test("NO_COLOR and --no-color take the colour and nothing else; an empty NO_COLOR is none", async ({ skip }) => {
    const coloured = await folder.onTerminal(["jobs", "--help"], { NO_COLOR: "" });
    if (coloured === undefined) return skip(MISSING);
    expect(coloured).toContain(ESCAPE);
    const plain = stripVTControlCharacters(coloured);
    expect(await folder.onTerminal(["jobs", "--help"], { NO_COLOR: "1" })).toBe(plain);
    expect(await folder.onTerminal(["--no-color", "jobs", "--help"])).toBe(plain);
    expect(await folder.onTerminal(["jobs", "--help", "--no-color"])).toBe(plain);
  });
});

test("what a pipe gets has no colour, and is the same each time", async () => {
  await folder.call(["run", "exec", "--", "true"]);
  const first = await folder.call(["jobs", "list"]);
  expect(first.stdout).not.toContain(ESCAPE);
  expect((await folder.call(["jobs", "list"])).stdout).toBe(first.stdout);
});
