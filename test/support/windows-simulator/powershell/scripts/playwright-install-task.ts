import { existsSync, readFileSync, rmSync } from "node:fs";
import { until } from "../../../until.ts";
import type { Program } from "../../program.ts";
import { endTask, presentTask, startTask } from "../../scheduled-tasks.ts";
import { realPath } from "../../windows-path.ts";
import type { RunScript } from "../run-script.ts";

const TASK = "WinAutomation-Playwright";
const FILES = ["launch-server.js", "install-playwright.ps1", "ws_path.txt"];

/** What `install-playwright.ps1` does with the scheduler; the task really runs the launcher that was uploaded. */
export const run: RunScript = async (program, argument) => {
  const { machine, context } = program;
  const { folder, port, bind, run_as: runAs, node_path: node } = argument;
  const place = String(folder).replaceAll("/", "\\");
  for (const name of FILES) if (!existsSync(real(program, `${place}\\${name}`))) throw new Error(`${name} is missing`);
  const facts = real(program, `${place}\\run\\server.json`);
  endTask(machine, TASK);
  rmSync(facts, { force: true });
  const account = String(runAs) === "" ? `${machine.settings.hostName}\\${context.user}` : String(runAs);
  const isService = /^(NT AUTHORITY\\)?(SYSTEM|LOCAL ?SERVICE|NETWORK ?SERVICE)$/i.test(account);
  machine.putTask({
    name: TASK,
    execute: `"${String(node)}"`,
    arguments: `"${place}\\launch-server.js" --port ${String(port)} --bind ${String(bind)}${folderOptions(program, argument)}`,
    workingDirectory: place,
    user: account,
    logonType: isService ? "ServiceAccount" : "S4U",
    runLevel: "Limited",
    triggers: [{ kind: "AtStartup" }],
    executionTimeLimit: "PT0S",
    restartCount: 999,
    restartInterval: "PT1M",
    multipleInstances: "IgnoreNew",
    disallowStartIfOnBatteries: false,
  });
  startTask(machine, TASK);
  const log = real(program, `${place}\\run\\server.log`);
  const failed = (): boolean => existsSync(log) && lastLine(log).includes("level=error");
  await until(() => (existsSync(facts) || failed() ? true : undefined), { what: "the browser server runs" });
  const now = existsSync(facts) ? JSON.parse(readFileSync(facts, "utf8")) : undefined;
  return {
    state: now === undefined ? "not_started" : "installed",
    account,
    version: now?.version ?? "",
    pid: now?.pid ?? 0,
    log: existsSync(log) ? lastLine(log) : "",
    last_result: presentTask(machine, TASK)?.lastResult ?? 0,
  };
};

/** What the launcher is told of folders: Playwright's, where that is known, and the browsers' of whoever installs. */
function folderOptions({ environment, context, cwd }: Program, { modules }: Readonly<Record<string, unknown>>): string {
  const own = `${environment.get("LOCALAPPDATA")}\\ms-playwright`;
  const hasOwn = existsSync(realPath(context.folder, own, cwd) ?? "");
  const browsers = environment.get("PLAYWRIGHT_BROWSERS_PATH") ?? (hasOwn ? own : "");
  const quoted = (path: string): string => `"${path.replaceAll("/", "\\").replace(/\\+$/, "")}"`;
  return [
    ...(String(modules) === "" ? [] : [` --modules ${quoted(String(modules))}`]),
    ...(browsers === "" ? [] : [` --browsers ${quoted(browsers)}`]),
  ].join("");
}

function real({ context, cwd }: Program, path: string): string {
  const found = realPath(context.folder, path, cwd);
  if (found === undefined) throw new Error(`${path} does not lie on C:`);
  return found;
}

function lastLine(path: string): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").at(-1) ?? "";
}
