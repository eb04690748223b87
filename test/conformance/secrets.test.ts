import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";
import { defineJob, type JobType } from "../../src/job/definition.ts";
import { secretText } from "../../src/job/secret.ts";
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
