import type { Command } from "../command.ts";
import { withVerdict } from "../operation-command.ts";
import { renderJson } from "../render.ts";
import { runDemo } from "./demo.ts";
import type { Verdict } from "./oracle.ts";

/** `windlass demo`. */
export const demoCommand: Command = {
  name: "demo",
  summary: "Run real jobs, kill their worker in the middle, and check what came of it.",
  description:
    "Works in a fresh folder below the system's temporary one and leaves it there as evidence. Exits with 1 when a check fails.",
  flags: [],
  words: [],
  async run({ terminal, globals, session }) {
    // Its jobs are its own, whoever starts it: so the call itself is what the policy judges.
    await (await session.gate()).ask(session.actor, { operation: "demo", access: "write", labels: {} });
    const out = globals.json ? undefined : process.stdout;
    const { folder, verdicts } = await runDemo({ out, colour: terminal.hasColour });
    const problem = problemOf(verdicts);
    if (globals.json) {
      const checks = verdicts.map(({ name, checked, problems }) => ({ name, checked, problems }));
      terminal.out(renderJson(withVerdict({ state: problem ? "fail" : "ok", folder, checks }, problem), terminal));
    }
    return problem === undefined ? 0 : 1;
  },
};

function problemOf(verdicts: readonly Verdict[]): { code: "CHECK_FAILED"; message: string } | undefined {
  const failed = verdicts.filter(({ problems }) => problems.length > 0).map(({ name }) => name);
  return failed.length === 0 ? undefined : { code: "CHECK_FAILED", message: `not so: ${failed.join("; ")}` };
}
