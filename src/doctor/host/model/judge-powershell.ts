import { type Finding, fail, ok } from "../../model/finding.ts";
import { type Answer, ASK_AGAIN, judgeError, judgeNoAnswer } from "./answer.ts";

/** What the machine says of itself. */
export interface MachineFacts {
  readonly system: string;
  readonly version: string;
  readonly computer: string;
  readonly user: string;
  readonly is_elevated: boolean | null;
  readonly session_id: number;
  readonly powershell: string;
  readonly edition: string;
  readonly code_page: number;
}

/** That the runner started. */
export interface RunnerFacts {
  readonly startMs: number;
  readonly version: string;
}

/** Windows PowerShell's last version is what everything here is written for. */
const VERSION_WANTED = 5.1;

/** The PowerShell that everything on the machine goes through. */
export function judgePowershell(
  runner: Answer<RunnerFacts>,
  machine: Answer<MachineFacts>,
  { server }: { readonly server: string | null },
): Finding {
  if (runner.kind !== "said") return judgeNoAnswer(runner, remedyOf(runner));
  const { startMs, version } = runner.value;
  const facts = { start_ms: startMs, powershell: version };
  if (Number.parseFloat(version) < VERSION_WANTED)
    return fail(`PowerShell ${version} is too old`, `install Windows Management Framework ${VERSION_WANTED}`, facts);
  if (machine.kind === "failed") return judgeError(machine.error, ASK_AGAIN, facts);
  if (machine.kind === "not_asked") return judgeNoAnswer(machine, ASK_AGAIN);
  const said = machine.value;
  const { computer, system, version: build, code_page, user, is_elevated } = said;
  const rights = is_elevated === null ? "" : is_elevated ? ", elevated" : ", not elevated";
  const detail = `PowerShell ${version} as ${user}${rights} on ${computer}: ${system} ${build}, code page ${code_page}`;
  return ok(detail, { ...said, ...facts, os_build: build, openssh: server });
}

function remedyOf(runner: Answer<RunnerFacts>): string {
  if (runner.kind !== "failed") return ASK_AGAIN;
  if (runner.error.code === "TIMEOUT")
    return "a machine that has just started needs a minute: run it again, or raise `timeout`";
  return "on the machine, look what `powershell -NoProfile -NonInteractive` says in an SSH session, and at DefaultShell below HKLM:\\SOFTWARE\\OpenSSH";
}
