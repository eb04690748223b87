// A job that asks a person before it acts; the yes is signed with an SSH key. Run it: node examples/approval.ts
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { defineDurableJob, openWindlass } from "windlass";
import { z } from "zod";

const deploy = defineDurableJob({
  name: "app.deploy",
  input: z.strictObject({ tag: z.string() }),
  result: z.string(),
  async run({ tag }, ctx) {
    const image = await ctx.step("build", () => ({ tag, files: 12 }));
    // It may take a day: no slot is held. What is shown is what is signed, so all that matters stands in the details.
    const leave = await ctx.approve({ title: `Deploy ${tag}`, details: image, expiresIn: "24h" });
    if (leave.decision !== "approved") return `${leave.decision} by ${leave.decidedBy}`;
    await ctx.step("deploy", () => console.log(`deploying ${image.files} files of ${tag}`));
    return `approved by ${leave.decidedBy}: ${leave.reason}`;
  },
});

// A project folder, and in it a key for this example alone. Yours is in ~/.ssh, or better, one that wants a touch.
process.chdir(mkdtempSync(join(tmpdir(), "approval-")));
mkdirSync(".windlass");
execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "anna@example.com", "-f", "anna"]);

/** What a person types at a shell. */
function type(...args: readonly string[]): void {
  console.log(`$ windlass ${args.map((word) => (word.includes(" ") ? `"${word}"` : word)).join(" ")}`);
  const program = fileURLToPath(new URL("bin.js", import.meta.resolve("windlass")));
  execFileSync(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}
type("approvals", "setup", "--key", "anna");

await using windlass = await openWindlass({ jobs: [deploy] });
await windlass.startWorker();
for (const [tag, verb] of [
  ["v1", "reject"],
  ["v2", "approve"],
] as const) {
  const { jobId } = await windlass.submit(deploy, { tag });
  while ((await windlass.status(jobId))?.state !== "waiting") await pause(20);
  const [question] = (await windlass.approvals.list({ jobId })).approvals;
  if (question === undefined) throw new Error("nothing was asked");
  console.log(`asked: ${question.title}, ${JSON.stringify(question.details)}`);
  type("approvals", verb, question.approvalId, "--key", "anna", "--reason", `looked at ${tag}`);
  console.log((await windlass.wait(jobId)).result);
}
