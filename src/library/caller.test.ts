import { userInfo } from "node:os";
import { describe, expect, vi } from "vitest";
import { test } from "../../test/support/library.ts";
import { exec } from "../index.ts";
import { callerOf } from "./caller.ts";

const facts = { isTerminal: false, osUser: "anna", environment: undefined, asked: undefined };

describe("who calls", () => {
  test("a person at a terminal, else the account that runs unattended", () => {
    expect(callerOf({ ...facts, isTerminal: true })).toEqual({ kind: "person", name: "anna", via: "library" });
    expect(callerOf(facts)).toEqual({ kind: "unattended", name: "anna", via: "library" });
  });

  test("the environment makes it stricter, never freer", () => {
    expect(callerOf({ ...facts, environment: "agent:codex" })).toMatchObject({ kind: "agent", name: "codex" });
    expect(callerOf({ ...facts, environment: "person:root" })).toMatchObject({ kind: "unattended", name: "anna" });
  });

  test("the program may say who it is only when that is stricter", () => {
    expect(callerOf({ ...facts, asked: "agent:codex" })).toEqual({ kind: "agent", name: "codex", via: "library" });
    expect(callerOf({ ...facts, asked: { kind: "agent", name: "x" } })).toMatchObject({ kind: "agent", name: "x" });
    for (const asked of ["person:anna", "unattended:bob", "robot:x", "agent:*"])
      expect(() => callerOf({ ...facts, asked })).toThrow(expect.objectContaining({ code: "USAGE" }));
  });

  test("every job carries it", async ({ open }) => {
    const client = await open();
    const { jobId } = await client.submit(exec, { argv: ["true"] });
    const actor = { kind: process.stdout.isTTY ? "person" : "unattended", name: userInfo().username, via: "library" };
    expect(client.actor).toEqual(actor);
    expect((await client.status(jobId))?.actor).toEqual(actor);
  });

  test("WINDLASS_ACTOR counts for the library too", async ({ open }) => {
    vi.stubEnv("WINDLASS_ACTOR", "agent:codex");
    try {
      expect((await open()).actor).toEqual({ kind: "agent", name: "codex", via: "library" });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("an agent may read and change nothing without a policy", async ({ open }) => {
    const owner = await open();
    const { jobId } = await owner.submit(exec, { argv: ["true"] });
    await owner.schedule(exec, { argv: ["true"] }, { cron: "0 0 * * *", name: "nightly" });
    const agent = await open({ actor: "agent:codex" });
    const denied = { code: "POLICY_DENIED", message: expect.stringContaining("agent:codex") };
    await expect(agent.submit(exec, { argv: ["true"] })).rejects.toMatchObject(denied);
    await expect(agent.schedule(exec, { argv: ["true"] }, { after: "1h" })).rejects.toMatchObject(denied);
    await expect(agent.schedule(exec, { argv: ["true"] }, { cron: "0 1 * * *" })).rejects.toMatchObject(denied);
    await expect(agent.cancel(jobId)).rejects.toMatchObject(denied);
    await expect(agent.cancel("nightly")).rejects.toMatchObject(denied);
    await expect(agent.startWorker()).rejects.toMatchObject(denied);
    await expect(agent.embedded?.enqueueWith((_, enqueue) => enqueue(exec, { argv: ["true"] }))).rejects.toMatchObject(
      denied,
    );
    expect((await agent.status(jobId))?.state).toBe("queued");
    expect((await agent.list()).jobs).toHaveLength(1);
    expect(await agent.scheduled()).toHaveLength(1);
  });
});
