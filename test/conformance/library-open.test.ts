import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";
import { defineJob, exec, type JobType, openWindlass } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

const hello = defineJob({ name: "app.hello", input: z.strictObject({ name: z.string() }), run: () => ({}) });

libraryConformance("library: opening", (test) => {
  test("answers with what the backend can do, who asks, and no warning", async ({ open }) => {
    const client = await open();
    expect(client.capabilities.positionsMax).toBeGreaterThanOrEqual(1_000);
    expect(client.actor.via).toBe("library");
    expect(client.warnings).toEqual([]);
    expect(client.embedded !== undefined).toBe(client.capabilities.transaction);
  });

  test("refuses a connectTimeout that is no duration", async ({ open }) => {
    for (const connectTimeout of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "soon", "", "2h"])
      await expect(open({ connectTimeout })).rejects.toMatchObject({
        code: "INVALID_DURATION",
        message: expect.stringContaining("connectTimeout"),
      });
  });

  test("refuses an option that does not exist", async () => {
    const options = { dbb: "x" } as object;
    await expect(openWindlass(options)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "openWindlass: there is no option dbb; did you mean db?",
    });
  });
});

libraryConformance("library: the job types of a client", (test) => {
  test("two of one name are refused", async ({ open }) => {
    const twin = defineJob({ name: "app.hello", input: z.string() });
    await expect(open({ jobs: [hello, twin] })).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringContaining("two job types are named app.hello"),
    });
  });

  test("one with the name of a built-in type is refused", async ({ open }) => {
    const mine = defineJob({ name: "exec", input: z.string() });
    await expect(open({ jobs: [mine] })).rejects.toMatchObject({ code: "INVALID_DEFINITION" });
  });

  test("what is no job type is refused by its place", async ({ open }) => {
    const jobs = [hello, { name: "app.x" }] as readonly JobType[];
    await expect(open({ jobs })).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringContaining("jobs[1]"),
    });
    const one = hello as unknown as readonly JobType[];
    await expect(open({ jobs: one })).rejects.toMatchObject({ code: "INVALID_DEFINITION" });
  });

  test("files that the configuration names are loaded, once, beside the types in code", async ({ open, folder }) => {
    const file = join(folder, "jobs.ts");
    const index = new URL("../../src/index.ts", import.meta.url).pathname;
    const zod = import.meta.resolve("zod");
    writeFileSync(
      file,
      `import { defineJob } from "${index}";
       import { z } from "${zod}";
       export const shout = defineJob({ name: "app.shout", input: z.string(), run: (text) => text.toUpperCase() });
       export const again = shout;
       export const limit = 3;`,
    );
    const { shout } = (await import(file)) as { shout: typeof hello };
    const client = await open({ jobs: [hello, shout], config: { jobs: [file] } });
    await client.startWorker();
    await expect(client.runAndWait("app.shout", "hi")).resolves.toBe("HI");
  });

  test("a file that cannot be loaded, or exports no type, is named", async ({ open, folder }) => {
    const empty = join(folder, "empty.ts");
    writeFileSync(empty, "export const x = 1;");
    await expect(open({ config: { jobs: [empty] } })).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringContaining(`${empty} exports no job type`),
    });
    const missing = join(folder, "missing.ts");
    await expect(open({ config: { jobs: [missing] } })).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringContaining(`${missing} does not exist`),
    });
    const broken = join(folder, "broken.ts");
    const index = new URL("../../src/index.ts", import.meta.url).pathname;
    writeFileSync(broken, `import { defineJob } from "${index}"; export const x = defineJob({ name: "Bad Name" });`);
    await expect(open({ config: { jobs: [broken] } })).rejects.toMatchObject({ code: "INVALID_DEFINITION" });
  });

  test("built-in types are there without being named", async ({ open }) => {
    const client = await open();
    await client.startWorker();
    const result = await client.runAndWait(exec, { argv: ["true"] });
    expect(result.exit_code).toBe(0);
  });
});
