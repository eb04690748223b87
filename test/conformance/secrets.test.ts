import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";
import type { AppError } from "../../src/error.ts";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import { defineDurableJob } from "../../src/job/durable/define-durable-job.ts";
import { secretText } from "../../src/job/secret.ts";
import { emitted, waits } from "../support/durable.ts";
import { conformance } from "./backends.ts";

const VALUE = "s3cr3t-value-7f21";

/** Does everything with its secret that could let it out. */
function leaky(seen: (secret: string) => void): JobType {
  return defineJob({
    name: "app.leaky",
    input: z.strictObject({ token: secretText(), fails: z.boolean().optional() }),
    secrets: ["TOKEN", "OTHER"],
    retries: 0,
    run: async ({ token, fails }, ctx) => {
      seen(token);
      ctx.log.info(`token is ${token}`, { token });
      ctx.progress({ done: 1, message: `logged in with ${token}` });
      await ctx.keep("out.txt", `the token is ${token}\n`);
      if (fails) throw new Error(`could not log in with ${token}`, { cause: { token, status: 401 } });
      return { said: [`hello ${token}`] };
    },
  });
}

/** Every byte below a folder. */
function allBytes(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}

conformance("secrets", (test) => {
  test("a secret is resolved in the worker and stands nowhere in what is stored, kept or logged", async ({ open }) => {
    const seen: string[] = [];
    const bench = await open({ own: [leaky((token) => seen.push(token))], environment: { TOKEN: VALUE } });
    await bench.worker();
    const input = { token: { $secret: "TOKEN" } };
    const done = await bench.submit("app.leaky", input);
    const failed = await bench.submit("app.leaky", { ...input, fails: true });
    expect(await bench.settled(done)).toMatchObject({ state: "completed", input, secrets: ["TOKEN"] });
    const { error, progress } = await bench.settled(failed);
    expect(error?.message).toBe("could not log in with ***");
    expect(progress).toEqual({ done: 1, message: "logged in with ***" });
    expect((await bench.status(done)).result).toEqual({ said: ["hello ***"] });
    expect(seen).toEqual([VALUE, VALUE]);
    await bench.backend.close();
    expect(allBytes(bench.folder)).not.toContain(VALUE);
  });

  test("nor in the record of a durable job, and what it answers from there is the same masked value", async ({
    open,
    skip,
  }) => {
    const seen: unknown[] = [];
    const job = defineDurableJob({
      name: "app.durable",
      input: z.strictObject({ token: secretText() }),
      secrets: ["TOKEN"],
      result: z.unknown(),
      async run({ token }, ctx) {
        const made = await ctx.step("made", async ({ keep }) => {
          await keep("out.txt", `the token is ${token}\n`);
          return { [token]: [`hello ${token}`] };
        });
        const failed = await ctx
          .step("failed", () => {
            throw new Error(`no ${token}`, { cause: { token } });
          })
          .catch((error: Error) => error.message);
        const row = await ctx.transaction("row", () => ({ token }));
        const undone = await ctx
          .transaction("undone", () => {
            throw new Error(`no row ${token}`);
          })
          .catch((error: Error) => error.message);
        ctx.log.info(`token is ${token}`);
        ctx.progress({ done: 1, message: token });
        seen.push([token, made, failed, row, undone]);
        await ctx.waitFor("go");
        return { token };
      },
    });
    const options = { own: [job], environment: { TOKEN: VALUE } };
    const bench = await open(options);
    skip(!bench.backend.capabilities.transaction, "transactions are not of this backend");
    const first = await bench.worker();
    const id = await bench.submit("app.durable", { token: { $secret: "TOKEN" } });
    await waits(bench, id);
    await first.stop({ graceMs: 0 });
    await bench.worker();
    await emitted(bench, "go");
    expect(await bench.settled(id)).toMatchObject({ state: "completed", result: { token: "***" } });
    const once = [VALUE, { "***": ["hello ***"] }, "no ***", { token: "***" }, "no row ***"];
    expect(seen).toEqual([once, once]);
    await bench.backend.close();
    expect(allBytes(bench.folder)).not.toContain(VALUE);
  });

  test("it goes to another job or run by its name alone: its value is refused there", async ({ open }) => {
    const input = z.strictObject({ token: secretText(), plain: z.boolean().default(false) });
    const codes: unknown[] = [];
    const got: unknown[] = [];
    const refused = (call: Promise<unknown>) =>
      call.then(() => codes.push("none")).catch((error: AppError) => codes.push(error.code));
    const named = { token: { $secret: "TOKEN" } };
    const own = [
      defineJob({ name: "app.child", input, secrets: ["TOKEN"], run: ({ token }) => void got.push(token) }),
      defineJob({
        name: "app.plain",
        input,
        secrets: ["TOKEN"],
        async run({ token }, ctx) {
          await refused(ctx.enqueue("app.child", { token: `Bearer ${token}` }));
          await refused(ctx.enqueue("app.child", named, { metadata: { with: token } }));
          await ctx.enqueue("app.child", named);
        },
      }),
      defineDurableJob({
        name: "app.durable",
        input,
        secrets: ["TOKEN"],
        async run({ token, plain }, ctx) {
          if (plain) return;
          await refused(ctx.run("app.child", { token }));
          await refused(ctx.enqueue("app.child", { token }));
          await refused(ctx.continueAs({ token, plain: true }));
          await ctx.run("app.child", named);
          await ctx.continueAs({ ...named, plain: true });
        },
      }),
    ];
    const bench = await open({ own, environment: { TOKEN: VALUE } });
    await bench.worker();
    for (const type of ["app.plain", "app.durable"])
      expect((await bench.settled(await bench.submit(type, named))).state, type).toBe("completed");
    for (const { jobId } of (await bench.backend.list({ type: "app.child", limit: 9 })).jobs)
      await bench.settled(jobId);
    expect(codes).toEqual(Array.from({ length: 5 }, () => "INVALID_INPUT"));
    expect(got).toEqual([VALUE, VALUE]);
    await bench.backend.close();
    expect(allBytes(bench.folder)).not.toContain(VALUE);
  });

  test("a plain text in the same place is taken as it is", async ({ open }) => {
    const seen: string[] = [];
    const bench = await open({ own: [leaky((token) => seen.push(token))] });
    await bench.worker();
    await bench.settled(await bench.submit("app.leaky", { token: "plain" }));
    expect(seen).toEqual(["plain"]);
  });

  test("a secret that is not in the type's list is refused when it is submitted", async ({ open }) => {
    const bench = await open({ own: [leaky(() => undefined)], environment: { ELSE: "x" } });
    await expect(bench.submit("app.leaky", { token: { $secret: "ELSE" } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("secret ELSE is not one that app.leaky may resolve (TOKEN, OTHER)"),
    });
  });

  test("a secret that is not set where the worker runs fails the job at once and says which", async ({ open }) => {
    const bench = await open({ own: [leaky(() => expect.fail("it ran"))], environment: { TOKEN: VALUE } });
    await bench.worker();
    const id = await bench.submit("app.leaky", { token: { $secret: "OTHER" } });
    expect(await bench.settled(id)).toMatchObject({
      state: "failed",
      attempt: 1,
      error: { code: "SECRET_UNAVAILABLE", message: expect.stringContaining("secret OTHER is not set") },
    });
  });

  test("a reference where the schema marks no place for one is refused", async ({ open }) => {
    const loose = defineJob({
      name: "app.loose",
      input: z.strictObject({ any: z.unknown() }),
      secrets: ["TOKEN"],
      run: () => 1,
    });
    const bench = await open({ own: [loose] });
    await expect(bench.submit("app.loose", { any: { $secret: "TOKEN" } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("input.any"),
    });
  });
});
