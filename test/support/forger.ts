import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openWindlass } from "../../src/index.ts";
import { forgeRows } from "./forge-rows.ts";

/** What a party tries, as a job's program or from a shell, to decide an approval. Writes what came of each to a file. */

const [approvalId = "", database = "", key = "", report = ""] = process.argv.slice(2);
const PROGRAM = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
const OPS = "ops@example.com";

/** Calls the program. @returns the code of its refusal. */
function call(args: readonly string[], env: NodeJS.ProcessEnv): string {
  const { stdout, stderr } = spawnSync(process.execPath, [PROGRAM, "--json", ...args], { encoding: "utf8", env });
  try {
    return String((JSON.parse(stdout) as { code?: string }).code);
  } catch {
    return stderr;
  }
}

async function code(act: () => Promise<unknown>): Promise<string> {
  return act().then(
    (value) => `accepted: ${JSON.stringify(value)}`,
    (error: { readonly code?: string }) => error.code ?? String(error),
  );
}

// Programs of exec are not told where the database is; who looks finds it.
process.env["WINDLASS_DB"] = database;
const { WINDLASS_ACTOR: actor, ...cleared } = process.env;
await using windlass = await openWindlass();
// A library that is imported does not see what its program takes out of its environment later; a new process does.
const approve = ["approvals", "approve", approvalId];
const { approvals } = windlass;
const statement = await approvals.statement(approvalId, { decision: "approved", as: OPS }).catch(() => "");
const signature =
  statement === "" || key === ""
    ? ""
    : execFileSync("ssh-keygen", ["-Y", "sign", "-f", key, "-n", "windlass-approval"], {
        input: statement,
        encoding: "utf8",
        stdio: ["pipe", "pipe", "ignore"],
      });
const tried = {
  actor: actor ?? null,
  cli: call(approve, process.env),
  "cli, as nobody": call(approve, cleared),
  "cli, as the approver": call([...approve, "--as", OPS], cleared),
  library: await code(() => approvals.decide(approvalId, { decision: "approved" })),
  "library, as the approver": await code(() => approvals.decide(approvalId, { decision: "approved", as: OPS })),
  "library, signed by another": await code(() => approvals.decide(approvalId, { statement, signature })),
  event: await code(() => windlass.emit("approval.decided", { approval_id: approvalId, decision: "approved" })),
  sql: await code(async () => forgeRows(database, approvalId)),
};
writeFileSync(report, JSON.stringify(tried));
