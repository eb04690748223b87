import { mkdirSync } from "node:fs";
import { realPath } from "../../windows-path.ts";
import type { RunScript } from "../run-script.ts";

/** Rights of folders are not modelled; the account `nobody` is one that the machine does not know. */
export const run: RunScript = ({ context, cwd, machine }, { folder, run_as: runAs }) => {
  const account = String(runAs) === "" ? `${machine.settings.hostName}\\${context.user}` : String(runAs);
  if (/^nobody$/i.test(account)) return { state: "unknown_account", account, path: "", owner: "" };
  const real = realPath(context.folder, `${String(folder)}/run`, cwd);
  if (real === undefined) throw new Error(`${String(folder)} does not lie on C:`);
  mkdirSync(real, { recursive: true });
  return { state: "ready", account, path: String(folder).replaceAll("/", "\\"), owner: "" };
};
