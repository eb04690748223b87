import { existsSync, mkdirSync } from "node:fs";
import { win32 } from "node:path";
import { sidOf } from "../../accounts.ts";
import { realPath } from "../../windows-path.ts";
import type { RunScript } from "../run-script.ts";

const ADMINISTRATORS = "S-1-5-32-544";
const SYSTEM = "S-1-5-18";

/** The owner of a folder that is there already counts; rights are written down and enforced nowhere. */
export const run: RunScript = ({ context, cwd, machine }, { folder, run_as: runAs }) => {
  const own = `${machine.settings.hostName}\\${context.user}`;
  const account = String(runAs) === "" ? own : String(runAs);
  const sid = sidOf(account);
  if (sid === undefined) return { state: "unknown_account", account, path: "", owner: "" };
  const place = String(folder).replaceAll("/", "\\");
  const runFolder = realPath(context.folder, `${place}\\run`, cwd);
  if (runFolder === undefined) throw new Error(`${place} does not lie on C:`);
  const trusted = [ADMINISTRATORS, SYSTEM, sidOf(own)];
  for (const path of [win32.dirname(place), place]) {
    if (!existsSync(realPath(context.folder, path, cwd) ?? "")) continue;
    const { owner } = machine.access(path);
    if (!trusted.includes(owner)) return { state: "foreign_folder", account, path, owner };
  }
  mkdirSync(runFolder, { recursive: true });
  const protect = (path: string, rights: string): void => {
    const grants = [`FullControl to ${ADMINISTRATORS}`, `FullControl to ${SYSTEM}`, `${rights} to ${sid}`];
    const rules = grants.map((grant) => `Allow ${grant} (ContainerInherit, ObjectInherit, None)`);
    machine.putAccess(path, { owner: ADMINISTRATORS, isProtected: true, rules });
  };
  protect(place, "ReadAndExecute");
  protect(`${place}\\run`, "Modify");
  return { state: "ready", account, path: place, owner: "" };
};
