import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lacks, needs } from "../support/system.ts";
import { isIntegration } from "../support/windows-bench.ts";
import { ACTS } from "../windows-demo/acts.ts";
import { Show } from "../windows-demo/show.ts";
import { Stage } from "../windows-demo/stage.ts";

// The lines of `npm run demo:windows`, each held against what it promises. The acts build on each other.
needs("ssh", "sshd");

const SILENT = { typed: () => {}, answered: () => {}, verdict: () => {} };

let stage: Stage;
beforeAll(async () => {
  if (!isIntegration && lacks("sshd") === undefined) stage = await Stage.set();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  if (stage !== undefined) rmSync(stage.folder, { recursive: true });
});

for (const { title, needsChromium = false, play } of ACTS) {
  test.skipIf(isIntegration)(title, { timeout: 60_000 }, async ({ skip }) => {
    const reason = needsChromium ? lacks("chromium") : undefined;
    skip(reason !== undefined, reason);
    const show = new Show(stage, SILENT);
    await play(show);
    expect(show.failures).toEqual([]);
  });
}

test.skipIf(isIntegration)("the browser server's secret path stands nowhere in the evidence", async () => {
  await stage[Symbol.asyncDispose]();
  expect(stage.leaks).toEqual([]);
});
