import { expect, test } from "vitest";
import { judgePlaywright, type PlaywrightAnswers } from "./judge-playwright.ts";

const TASK = "WinAutomation-Playwright";
const said = <T>(value: T) => ({ kind: "said", value }) as const;
const failed = (code: string, details = {}) => ({ kind: "failed", error: { code, message: "said", details } }) as const;
const ready = (state: string, last_result: number) => said({ exists: true, state, last_result } as const);

const sound: PlaywrightAnswers = {
  health: said({ via: "ssh", version: "1.65.1", browserVersion: "141.0" }),
  versions: said({ node: "24.1.0", installed: "1.65.1", running: "1.65.1" }),
  task: ready("Running", 267_009),
};
const judged = (changes: Partial<PlaywrightAnswers> = {}) => judgePlaywright({ ...sound, ...changes }, TASK);
const gone = failed("HOST_UNREACHABLE", { err: "unreachable" });

test("a sound one says versions, way and task", () => {
  expect(judged()).toEqual({
    state: "ok",
    detail: "Playwright 1.65.1, Chromium 141.0, through SSH; task running (it runs)",
    facts: {
      ...{ node: "24.1.0", installed: "1.65.1", running: "1.65.1", task: "Running", task_last_result: 267_009 },
      ...{ via: "ssh", version: "1.65.1", browser_version: "141.0" },
    },
    remedy: null,
  });
  const down = { kind: "not_asked", reason: "ssh is down" } as const;
  const direct = said({ via: "direct", version: "1.65.1", browserVersion: "141.0" } as const);
  expect(judged({ health: direct, versions: down, task: down })).toMatchObject({
    state: "ok",
    detail: "Playwright 1.65.1, Chromium 141.0, directly",
  });
});

test.each([
  ["no task", said({ exists: false } as const), "windlass playwright install"],
  ["a disabled one", ready("Disabled", 0), "`Enable-ScheduledTask WinAutomation-Playwright` there"],
] as const)("one that answers with %s to start it again is worth a look", (_, task, remedy) => {
  expect(judged({ task })).toMatchObject({ state: "warn", remedy: expect.stringContaining(remedy) });
});

test.each([
  ["CONFIG", {}, "fail", "WINDLASS_PLAYWRIGHT_WS_PATH; never into a file"],
  [
    "PLAYWRIGHT_VERSION_MISMATCH",
    { err: "version_mismatch", client_version: "1.65.1" },
    "unreachable",
    "`npm install --global playwright@1.65.1`",
  ],
  ["PLAYWRIGHT_PATH_REJECTED", { err: "ws_path_rejected" }, "unreachable", "with the new one"],
] as const)("%s is %j, %s, with what to do", (code, details, state, remedy) => {
  const finding = judged({ health: failed(code, details) });
  expect(finding).toMatchObject({
    state,
    detail: `${code}: said`,
    facts: { code, ...("err" in details ? { err: details.err } : {}) },
  });
  expect(finding.remedy).toContain(remedy);
});

test.each([
  ["missing_node", { versions: said({ node: null, installed: null, running: null }) }, "install Node.js 20 or newer"],
  [
    "missing_playwright",
    { versions: said({ node: "24.1.0", installed: null, running: null }) },
    "npm install --global playwright",
  ],
  [
    "not_installed",
    { task: said({ exists: false } as const) },
    "there is no task WinAutomation-Playwright: `windlass playwright install`",
  ],
  ["unreachable", { task: ready("Running", 267_009) }, "its task runs: look at run/server.log"],
  [
    "unreachable",
    { task: ready("Ready", 1) },
    'its task is ready (it ended with 1): `schtasks /Run /TN "WinAutomation-Playwright"`',
  ],
  ["unreachable", { task: ready("Ready", 267_011) }, "its task is ready (it has never run)"],
  ["unreachable", { task: failed("SCRIPT_FAILED") }, "look at playwright.host, port and tunnel"],
] as const)("where nobody answers the machine says why: %s", (err, answers, remedy) => {
  const finding = judged({ health: gone, ...answers });
  expect(finding).toMatchObject({ state: "unreachable", facts: { err, code: "HOST_UNREACHABLE" } });
  expect(finding.remedy).toContain(remedy);
});
