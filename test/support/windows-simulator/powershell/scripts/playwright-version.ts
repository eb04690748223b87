import { existsSync, readFileSync } from "node:fs";
import { findProgram } from "../../executables.ts";
import { runningProcesses } from "../../processes.ts";
import type { Program } from "../../program.ts";
import { realPath } from "../../windows-path.ts";
import type { RunScript } from "../run-script.ts";

export const run: RunScript = (program, { folder }) => {
  const { context, cwd, environment } = program;
  const node = findProgram("node", { folder: context.folder, cwd, environment });
  const installed = [`${String(folder)}/node_modules`, `${environment.get("APPDATA")}/npm/node_modules`]
    .flatMap((modules) => ["playwright", "playwright-core"].map((name) => ({ modules, name })))
    .map(({ modules, name }) => ({ modules, facts: readJson(program, `${modules}/${name}/package.json`) }))
    .find(({ facts }) => facts !== undefined);
  const server = readJson(program, `${String(folder)}/run/server.json`);
  const runs = server !== undefined && runningProcesses(context.folder).some(({ pid }) => pid === server["pid"]);
  return {
    node: node === undefined ? null : process.versions.node,
    node_path: node ?? null,
    installed: installed?.facts?.["version"] ?? null,
    modules: installed?.modules ?? null,
    running: runs ? (server["version"] ?? null) : null,
  };
};

function readJson({ context, cwd }: Program, path: string): Record<string, unknown> | undefined {
  const real = realPath(context.folder, path, cwd);
  return real !== undefined && existsSync(real) ? JSON.parse(readFileSync(real, "utf8")) : undefined;
}
