import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import type { HostAccess } from "../../src/host/playwright/host-access.ts";
import type { ScriptArgument } from "../../src/host/powershell/request.ts";
import { askHost } from "../../src/host/powershell/scripts.ts";

/** What stands for the way to a Windows machine: scripts answer from a table, tunnels are local relays. */
export interface StandInHost {
  readonly open: () => Promise<HostAccess>;
  /** Scripts with their arguments, uploads by path, tunnels by target, and what was closed, in order. */
  readonly log: readonly string[];
  /** What was uploaded, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** @param answers of the scripts by name; one that throws is a script that fails. */
export function standInHost(answers: Readonly<Record<string, (argument: ScriptArgument) => unknown>>): StandInHost {
  const log: string[] = [];
  const files = new Map<string, Uint8Array>();
  const runner = {
    call: async ({ name }: { readonly name: string }, argument: ScriptArgument) => {
      log.push(`${name} ${JSON.stringify(argument)}`);
      const answer = answers[name];
      if (answer === undefined) throw new Error(`no script ${name}`);
      return JSON.parse(JSON.stringify(answer(argument)));
    },
  };
  const access: HostAccess = {
    ask: (question, argument, limits) => askHost(runner, question, argument, limits),
    upload: async (content, path) => {
      log.push(`upload ${path}`);
      files.set(path, content);
    },
    tunnel: async (target) => {
      log.push(`tunnel ${target.host}:${target.port}`);
      return relay(target, () => log.push("tunnel closed"));
    },
    [Symbol.asyncDispose]: async () => void log.push("closed"),
  };
  return { open: async () => access, log, files };
}

/** Forwards a port, as `ssh -L` does. */
async function relay(target: { host: string; port: number }, onClose: () => void) {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(target);
    for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
    near.pipe(far).on("close", () => near.destroy());
    far.pipe(near).on("close", () => far.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      onClose();
    },
  };
}

/** What `playwright-version` answers for a machine with Node and this Playwright, or none. */
export function versionAnswer(installed: string | null, running: string | null = null): Record<string, string | null> {
  const modules = installed === null ? null : "C:/ProgramData/win-automation/playwright/node_modules";
  return { node: "24.1.0", node_path: "C:\\Program Files\\nodejs\\node.exe", installed, modules, running };
}
