import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { exec } from "../../src/index.ts";
import { libraryConformance } from "./backends.ts";

libraryConformance("library: the actor of a client", (test) => {
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
    await expect(agent.emit("x", 1)).rejects.toMatchObject(denied);
    if (agent.capabilities.transaction)
      await expect(
        agent.embedded?.enqueueWith((_, enqueue) => enqueue(exec, { argv: ["true"] })),
      ).rejects.toMatchObject(denied);
    expect((await agent.status(jobId))?.state).toBe("queued");
    expect((await agent.list()).jobs).toHaveLength(1);
    expect(await agent.scheduled()).toHaveLength(1);
  });

  test("a policy that does not let an agent read is asked before anything is read", async ({ open, folder }) => {
    const policy = join(folder, "people.yaml");
    writeFileSync(
      policy,
      'version: 1\nrules:\n  - { name: people, actors: ["person:*", "unattended:*"], allow: true }\n',
    );
    const owner = await open({ config: { policy } });
    const { jobId } = await owner.submit(exec, { argv: ["true"] });
    const agent = await open({ actor: "agent:codex", config: { policy } });
    const denied = { code: "POLICY_DENIED", details: { rule: "no-match", policy: "advisory" } };
    for (const read of [agent.status(jobId), agent.list(), agent.scheduled(), agent.wait(jobId), agent.cancel(jobId)])
      await expect(read).rejects.toMatchObject(denied);
    expect((await owner.status(jobId))?.state).toBe("queued");
  });
});
