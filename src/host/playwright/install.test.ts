import { expect, test } from "vitest";
import { standInHost, versionAnswer } from "../../../test/support/host-access.ts";
import { AppError } from "../../error.ts";
import type { ScriptArgument } from "../powershell/request.ts";
import { type InstallOrder, installServer } from "./install.ts";
import { readWsPath } from "./ws-path.ts";

const CANARY = "canary-6c02e9b7d15a43f8";
const order: InstallOrder = { hostName: "lab1", port: 9_400, bind: "127.0.0.1", wsPath: readWsPath(CANARY) };
const limits = { timeoutMs: 1_000, signal: new AbortController().signal };

const ANSWERS = {
  "playwright-version": () => versionAnswer("1.65.1"),
  "playwright-install-prepare": () => ({ state: "ready", account: "LAB1\\browser", path: "C:\\x", owner: "" }),
  "playwright-install-secret": () => ({ changed: true }),
  "playwright-install-task": (_argument: ScriptArgument): Record<string, unknown> => ({
    state: "installed",
    account: "LAB1\\browser",
    version: "1.65.1",
    pid: 7,
    log: "",
    last_result: 0,
  }),
};

async function refused(answers: Partial<typeof ANSWERS>): Promise<{ error: AppError; log: readonly string[] }> {
  const host = standInHost({ ...ANSWERS, ...answers });
  const error: unknown = await installServer(await host.open(), order, limits).catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error("it was installed");
  return { error, log: host.log };
}

test("first the folder and its rights, then the files, the secret as data, and the task", async () => {
  const host = standInHost(ANSWERS);
  expect(await installServer(await host.open(), { ...order, runAs: "LAB1\\browser" }, limits)).toEqual({
    account: "LAB1\\browser",
    version: "1.65.1",
    isRotated: true,
  });
  const folder = "C:/ProgramData/win-automation/playwright";
  const where = `{"folder":"${folder}"`;
  expect(host.log).toEqual([
    `playwright-version ${where}}`,
    `playwright-install-prepare ${where},"run_as":"LAB1\\\\browser"}`,
    `upload ${folder}/launch-server.js`,
    `upload ${folder}/install-playwright.ps1`,
    `playwright-install-secret ${where},"ws_path":"${CANARY}"}`,
    expect.stringMatching(/^playwright-install-task .*"port":9400,"bind":"127\.0\.0\.1","run_as":"LAB1\\\\browser"/),
  ]);
  // Only one call holds the secret, and it is data of a script.
  expect(host.log.filter((line) => line.includes(CANARY))).toHaveLength(1);
  for (const content of host.files.values()) expect(Buffer.from(content).toString()).not.toContain(CANARY);
});

test.each([
  ["no Node", { ...versionAnswer(null), node: null }, "missing_node"],
  ["no Playwright", versionAnswer(null), "missing_playwright"],
])("%s: nothing is written", async (_what, answer, err) => {
  const { error, log } = await refused({ "playwright-version": () => answer });
  expect(error).toMatchObject({ code: "PREREQUISITE_MISSING", details: { component: "playwright", err } });
  expect(log).toHaveLength(1);
});

test.each([
  ["unknown_account", "CONFIG", "run_as LAB1\\browser is no account of lab1"],
  ["foreign_folder", "SCRIPT_FAILED", "belongs to an account that is no administrator"],
])("%s: nothing is uploaded", async (state, code, said) => {
  const answer = { state, account: "LAB1\\browser", path: "C:\\x", owner: "S-1-5-21-1" };
  const { error, log } = await refused({ "playwright-install-prepare": () => answer });
  expect(error).toMatchObject({ code, message: expect.stringContaining(said) });
  expect(log).toHaveLength(2);
});

test("a server that does not start says the last line of its log, without the secret", async () => {
  const log = `level=error msg="the browser does not start: ws://127.0.0.1:9400/${CANARY}"`;
  const answer = { state: "not_started", account: "x", version: "", log };
  const { error } = await refused({ "playwright-install-task": () => answer });
  expect(error).toMatchObject({ code: "SCRIPT_FAILED", details: { err: "not_started" } });
  expect(error.message).toContain("the browser does not start: ws://127.0.0.1:9400/***");
  expect(error.message).not.toContain(CANARY);
});

test("an answer of another shape is a failed script", async () => {
  const { error } = await refused({ "playwright-install-secret": () => ({ changed: 1 }) as never });
  expect(error.code).toBe("SCRIPT_FAILED");
});

test.each(["playwright-install-secret", "playwright-install-task"] as const)(
  "a machine that repeats the secret in what it says of %s is not repeated",
  async (script) => {
    for (const said of [CANARY, encodeURIComponent(`/${CANARY}`), Buffer.from(CANARY).toString("base64")]) {
      const broken = () => {
        throw new AppError("SCRIPT_FAILED", `it failed on the host: cannot bind '${said}'`);
      };
      const { error } = await refused({ [script]: broken });
      expect(error.message).toContain("cannot bind '***'");
      expect(error.cause).toBeUndefined();
    }
  },
);
