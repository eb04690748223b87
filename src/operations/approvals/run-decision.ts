import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { z } from "zod";
import type { Approval, Decision } from "../../approval/approval.ts";
import { parseStatement } from "../../approval/statement.ts";
import { subjectDigest } from "../../approval/subject.ts";
import { AppError } from "../../error.ts";
import { homeFolder } from "../../host/local/os-user.ts";
import type { DatabaseContext } from "../operation.ts";
import type { DecisionInput, DecisionOutput } from "./decision-fields.ts";
import { approvalNotFound } from "./fields.ts";
import { type GivingParts, handIn, prepareStatement, signDecision } from "./give-decision.ts";

type Input = z.output<typeof DecisionInput>;
type Output = z.output<typeof DecisionOutput>;

/** Decides as the input says: signs here, takes what was signed elsewhere, or writes what is to be signed. */
export async function runDecision(decision: Decision, input: Input, context: DatabaseContext): Promise<Output> {
  const { windlass, gate, clock, cwd, signal } = context;
  checkFlags(input);
  const approval = await windlass.backend.approvals.find(input.id);
  if (approval === undefined) throw approvalNotFound(input.id, windlass.config.database.path);
  refuseChanged(approval, input);
  const { inForce } = await gate();
  const { approvals } = windlass.backend;
  const parts: GivingParts = { approvals, inForce, nowMs: clock.now(), home: homeFolder(), signal };
  const { statement, signature, reason, as, key } = input;
  const answer = answerOf(approval, decision);
  if (statement !== undefined && signature !== undefined) {
    const signed = await readSigned(decision, { statement, signature }, cwd);
    return { ...answer, ...stored(await handIn(approval, signed, parts)) };
  }
  const wish = { decision, reason, as, keyPath: key === undefined ? undefined : resolve(cwd, key) };
  if (!input.print_statement) return { ...answer, ...stored(await signDecision(approval, wish, parts)) };
  const unsigned = await prepareStatement(approval, wish, parts);
  return { ...answer, state: unsigned.state, decided_by: unsigned.principal, statement: unsigned.statement };
}

function checkFlags({ as, key, reason, print_statement, statement, signature }: Input): void {
  const wrong = (message: string): never => {
    throw new AppError("USAGE", message);
  };
  if ((statement === undefined) !== (signature === undefined)) wrong("--statement and --signature go together");
  if (statement === undefined) return;
  if (print_statement) wrong("--print-statement makes a statement, --statement hands one in; give one of them");
  if ((as ?? key ?? reason) !== undefined)
    wrong("the statement says who decided and why; leave out --as, --key and --reason beside --statement");
}

/** @throws AppError `APPROVAL_ALTERED`. */
function refuseChanged({ approvalId, subject, askedBy }: Approval, { digest }: Input): void {
  const now = subjectDigest(subject, askedBy);
  if (digest === undefined || digest === now) return;
  throw new AppError(
    "APPROVAL_ALTERED",
    `the digest of the approval ${approvalId} is ${now}, not ${digest}; look at it again with \`windlass approvals show ${approvalId}\``,
  );
}

const VERBS = { approved: "approve", rejected: "reject", revoked: "revoke" } as const;

/** @throws AppError `USAGE` for files that cannot be read, and for a statement that says something else. */
async function readSigned(
  decision: Decision,
  paths: { readonly statement: string; readonly signature: string },
  cwd: string,
) {
  const statement = await readSmall(resolve(cwd, paths.statement));
  const signature = await readSmall(resolve(cwd, paths.signature));
  const said = parseStatement(statement)?.decision ?? decision;
  if (said === decision) return { statement, signature };
  throw new AppError("USAGE", `${paths.statement} says ${said}; hand it in with \`windlass approvals ${VERBS[said]}\``);
}

function answerOf({ approvalId, subject, askedBy, state }: Approval, decision: Decision): Output {
  return {
    approval_id: approvalId,
    job_id: subject.jobId,
    decision,
    stored: false,
    state,
    decided_by: "",
    title: subject.title,
    digest: subjectDigest(subject, askedBy),
    level: null,
    advisory_because: [],
    statement: null,
  };
}

function stored({ principal, state, level, reasons }: Awaited<ReturnType<typeof handIn>>) {
  return { stored: true, state, decided_by: principal, level, advisory_because: [...reasons] };
}

const FILE_MAX = 256 * 1024;

async function readSmall(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= FILE_MAX) return await readFile(path, "utf8");
    throw new AppError("USAGE", `${path} has ${size} bytes; a statement or a signature is shorter`);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("USAGE", `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
