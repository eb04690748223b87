import { expect, test } from "vitest";
import { CliFolder, type Finished } from "../support/cli.ts";
import { lacksAccounts, RootPolicy } from "../support/root-policy.ts";

// The three settings of docs/threat-model.md, each as doctor calls it and with the step to the next one.

const ALLOW_ALL = "version: 1\nrules:\n  - { name: all, allow: true }\n";
const [AGENT, WORKER] = [4711, 4712];

interface Check {
  readonly name: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly remedy: string | null;
}

function policyOf({ stdout }: Finished): Pick<Check, "facts" | "remedy"> | undefined {
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Check[] };
  return checks.find(({ name }) => name === "policy");
}

test("the same account, with a policy that it can write", async () => {
  await using cli = new CliFolder();
  cli.write(".windlass/windlass.policy.yaml", ALLOW_ALL);
  expect(policyOf(await cli.call(["--json", "doctor"]))).toMatchObject({
    facts: { level: "advisory", setting: "advisory" },
    remedy: expect.stringContaining("put it at /etc/windlass/policy.yaml as root"),
  });
});

test("the same account, with root's policy; and a worker under another", async ({ skip }) => {
  const missing = lacksAccounts();
  if (missing !== undefined) skip(missing);
  await using place = new RootPolicy();
  place.writePolicy(ALLOW_ALL);
  expect((await place.call(WORKER, ["db", "migrate"])).status).toBe(0);
  place.shareDatabase();
  expect(policyOf(await place.call(AGENT, ["--json", "doctor"]))).toMatchObject({
    facts: { level: "enforced", setting: "root-policy" },
    remedy: expect.stringContaining("docs/threat-model.md has the steps"),
  });
  const worker = await place.worker(WORKER);
  expect(policyOf(await place.call(AGENT, ["--json", "doctor"]))).toMatchObject({
    facts: { level: "enforced", setting: "accounts" },
    remedy: null,
  });
  // Seen from the worker's own account it is only root's policy.
  expect(policyOf(await place.call(WORKER, ["--json", "doctor"]))).toMatchObject({ facts: { setting: "root-policy" } });
  worker.kill("SIGTERM");
  await worker.ended;
});
