import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import type { CallOptions, CliFolder } from "./cli.ts";
import { makePlainKey, type PlainKey } from "./plain-key.ts";

/** How an agent calls. */
export const AGENT: CallOptions = { env: { WINDLASS_ACTOR: "agent:codex" } };

/** An approver as a policy file has it. */
export interface ApproverLine {
  readonly principal: string;
  readonly key: string;
  readonly more?: string;
}

/** Writes a policy by which an agent's programs need an approval; `approval` is what the rule asks for. */
export function writePolicy(cli: CliFolder, approvers: readonly ApproverLine[], approval: string): void {
  const lines = approvers.map(
    ({ principal, key, more = "" }) =>
      `  - { principal: ${principal}, key: "${key}"${more === "" ? "" : `, ${more}`} }`,
  );
  cli.write(
    ".windlass/windlass.policy.yaml",
    `version: 1
approvers:
${lines.join("\n")}
rules:
  - { name: read, access: read, allow: true }
  - { name: agents-ask, actors: ["agent:*"], types: [exec], approval: ${approval} }
  - { name: people, actors: ["person:*", "unattended:*", "schedule:*", "job:*"], allow: true }
`,
  );
}

/** A key in the `~/.ssh` of the folder's own home. */
export function ownKey(cli: CliFolder, name = "id_ed25519", comment = "anna@example.com"): PlainKey {
  mkdirSync(join(cli.path, ".ssh"), { recursive: true, mode: 0o700 });
  return makePlainKey(join(cli.path, ".ssh"), name, comment);
}

/** A job of an agent that waits for leave. */
export async function askFor(
  cli: CliFolder,
  ...argv: readonly string[]
): Promise<{ jobId: string; approvalId: string }> {
  const { value, stderr } = await cli.json(["jobs", "enqueue", "--type", "exec", "--", ...argv], AGENT);
  expect(value["state"], stderr).toBe("waiting");
  return { jobId: String(value["job_id"]), approvalId: String(value["approval_id"]) };
}

/** Calls the program; it must fail with this status and code. @returns what it said. */
export async function refused(
  cli: CliFolder,
  args: readonly string[],
  [status, code]: readonly [number, string],
  options: CallOptions = {},
): Promise<string> {
  const finished = await cli.json(args, options);
  expect(finished, finished.stderr).toMatchObject({ status, value: { code } });
  return String(finished.value["error"]);
}

/** Writes the database behind the program's back. */
export function forge(cli: CliFolder, sql: string, ...values: readonly (string | number)[]): void {
  const db = new DatabaseSync(join(cli.path, ".windlass/windlass.db"));
  db.prepare(sql).run(...values);
  db.close();
}
