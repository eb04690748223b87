import type { ErrorRecord } from "../../../error.ts";
import { type Facts, type Finding, ok, unreachable, warn } from "../../model/finding.ts";
import { type Answer, judgeError, judgeNoAnswer } from "./answer.ts";

/** What a sound browser server said. */
export interface HealthFacts {
  readonly via: "ssh" | "direct";
  readonly version: string;
  readonly browserVersion: string;
}

/** What the machine has. */
export interface VersionFacts {
  readonly node: string | null;
  readonly installed: string | null;
  readonly running: string | null;
}

/** The task that runs the server. */
export type TaskFacts =
  | { readonly exists: false }
  | { readonly exists: true; readonly state: string; readonly last_result: number };

/** All that was asked about a browser server. */
export interface PlaywrightAnswers {
  readonly health: Answer<HealthFacts>;
  readonly versions: Answer<VersionFacts>;
  readonly task: Answer<TaskFacts>;
}

const INSTALL = "`windlass playwright install` makes it and starts it";

/** The browser server by the way that jobs take; what the machine says of Node, Playwright and the task tells why not. */
export function judgePlaywright(answers: PlaywrightAnswers, taskName: string): Finding {
  const { health, task } = answers;
  const facts = factsOf(answers);
  if (health.kind === "not_asked") return judgeNoAnswer(health, "");
  if (health.kind === "failed") return judgeFailure(health.error, answers, taskName);
  const { via, version, browserVersion } = health.value;
  const detail = `Playwright ${version}, Chromium ${browserVersion}, ${via === "ssh" ? "through SSH" : "directly"}`;
  const all = { ...facts, via, version, browser_version: browserVersion };
  if (task.kind !== "said") return ok(detail, all);
  if (!task.value.exists)
    return warn(`${detail}; no task ${taskName} starts it again`, `let it run by a task: ${INSTALL}`, all);
  if (task.value.state === "Disabled")
    return warn(`${detail}; its task ${taskName} is disabled`, `\`Enable-ScheduledTask ${taskName}\` there`, all);
  return ok(`${detail}; task ${sayTask(task.value)}`, all);
}

function factsOf({ versions, task }: PlaywrightAnswers): Facts {
  const known = versions.kind === "said" ? versions.value : undefined;
  const found = task.kind === "said" ? task.value : undefined;
  return {
    ...(known === undefined ? {} : { node: known.node, installed: known.installed, running: known.running }),
    ...(found === undefined ? {} : { task: found.exists ? found.state : "missing" }),
    ...(found?.exists === true ? { task_last_result: found.last_result } : {}),
  };
}

function judgeFailure(error: ErrorRecord, answers: PlaywrightAnswers, taskName: string): Finding {
  const facts = factsOf(answers);
  const err = error.details?.["err"];
  const more = typeof err === "string" ? { ...facts, err } : facts;
  switch (error.code) {
    case "CONFIG":
      return judgeError(
        error,
        "put the path into the environment as WINDLASS_PLAYWRIGHT_WS_PATH; never into a file",
        facts,
      );
    case "PLAYWRIGHT_VERSION_MISMATCH":
      return judgeError(error, remedyOfVersion(error), more);
    case "PLAYWRIGHT_PATH_REJECTED":
      return judgeError(
        error,
        "set WINDLASS_PLAYWRIGHT_WS_PATH to the path that it was installed with, or `windlass playwright install` with the new one",
        more,
      );
    default:
      return judgeAbsence(error, answers, { taskName, facts: more });
  }
}

function remedyOfVersion({ details }: ErrorRecord): string {
  const version = details?.["client_version"];
  return `\`npm install --global playwright@${String(version)}\` and \`npx playwright install chromium\` on the machine, then \`windlass playwright install\``;
}

/** Nobody answers as a browser server should: the machine says why. */
function judgeAbsence(
  error: ErrorRecord,
  { versions, task }: PlaywrightAnswers,
  { taskName, facts }: { readonly taskName: string; readonly facts: Facts },
): Finding {
  const missing = versions.kind === "said" ? missingOf(versions.value) : undefined;
  if (missing !== undefined)
    return unreachable(`${missing.detail}`, missing.remedy, { ...facts, err: missing.err, code: error.code });
  if (task.kind === "said" && !task.value.exists)
    return judgeError(error, `there is no task ${taskName}: ${INSTALL}`, { ...facts, err: "not_installed" });
  const start = `\`schtasks /Run /TN "${taskName}"\` on the machine, or \`windlass supervisor run --once\``;
  if (task.kind === "said" && task.value.exists && task.value.state === "Running")
    return judgeError(
      error,
      `its task runs: look at run/server.log in C:/ProgramData/win-automation/playwright, and at playwright.port, host and tunnel`,
      facts,
    );
  if (task.kind === "said" && task.value.exists)
    return judgeError(error, `its task is ${sayTask(task.value)}: ${start}`, facts);
  return judgeError(error, `look at playwright.host, port and tunnel; ${start}`, facts);
}

function missingOf({ node, installed }: VersionFacts) {
  if (node === null)
    return {
      err: "missing_node",
      detail: "there is no Node.js in the machine's PATH",
      remedy:
        "install Node.js 20 or newer there (https://nodejs.org), open a new SSH session, then `windlass playwright install`",
    };
  if (installed === null)
    return {
      err: "missing_playwright",
      detail: "there is no Playwright on the machine",
      remedy:
        "`npm install --global playwright` and `npx playwright install chromium ffmpeg` there, then `windlass playwright install`",
    };
  return undefined;
}

/** https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-error-and-success-constants */
const RESULTS: Readonly<Record<number, string>> = {
  0: "ended well",
  267009: "runs",
  267011: "has never run",
  267014: "was stopped by a user",
  2147942402: "did not find its program",
  2147943645: "needs somebody to be logged on",
};

function sayTask({ state, last_result }: { readonly state: string; readonly last_result: number }): string {
  const meaning = RESULTS[last_result] ?? `ended with ${last_result}`;
  return `${state.toLowerCase()} (it ${meaning})`;
}
