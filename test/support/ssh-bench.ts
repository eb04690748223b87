import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test as base } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SshConnection, type SshOptions } from "../../src/host/ssh/connection.ts";
import type { SshTarget } from "../../src/host/ssh/options.ts";
import type { RemoteEnd, RemoteProcess } from "../../src/host/ssh/remote-process.ts";
import { type SshServer, type SshServerOptions, startSshServer } from "./windows-simulator/ssh-server.ts";

/** Longer than anything here takes on a busy machine. */
const PATIENCE_MS = 25_000;

/** Connections of one test to SSH servers of its own. */
export class SshBench {
  readonly folder = mkdtempSync(join(tmpdir(), "windlass-bench-"));
  readonly signal = AbortSignal.timeout(PATIENCE_MS);
  readonly #servers: SshServer[] = [];
  readonly #connections: SshConnection[] = [];

  async serve(options: SshServerOptions = {}): Promise<SshServer> {
    const server = await startSshServer(options);
    this.#servers.push(server);
    return server;
  }

  /** A connection that nobody else shares; `changes` to what it is told of the machine. */
  connect(
    server: Pick<SshServer, "port"> & Partial<SshServer>,
    changes: Partial<SshTarget> = {},
    options: Partial<SshOptions> = {},
  ): SshConnection {
    const target = {
      name: "lab1",
      sshHost: "127.0.0.1",
      sshPort: server.port,
      sshUser: server.user ?? "nobody",
      sshIdentityFile: server.identityFile ?? "",
      sshKnownHosts: server.knownHosts ?? "",
      ...changes,
    };
    const defaults = { clock: systemClock, timeoutMs: 10_000, controlFolder: join(this.folder, "c"), ownMaster: true };
    const connection = new SshConnection(target, { ...defaults, ...options });
    this.#connections.push(connection);
    return connection;
  }

  /** The sockets of shared connections. */
  sockets(): readonly string[] {
    const folder = join(this.folder, "c");
    return readdirSync(folder).map((name) => join(folder, name));
  }

  /** Ends the shared connections as another process could. */
  exitMasters(): void {
    for (const socket of this.sockets()) control(socket, "exit");
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) await connection.close();
    for (const server of this.#servers) await server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a command wrote and how it ended; nothing is given to it. */
export async function outcomeOf(
  running: RemoteProcess,
): Promise<RemoteEnd & { readonly stdout: string; readonly stderr: string }> {
  running.stdin.end();
  const [stdout, stderr, end] = await Promise.all([text(running.stdout), text(running.stderr), running.ended]);
  return { ...end, stdout, stderr };
}

/** The process that keeps the shared connection. */
export function masterOf(socket: string): number {
  return Number(/pid=(\d+)/.exec(control(socket, "check"))?.[1] ?? Number.NaN);
}

function control(socket: string, order: string): string {
  return spawnSync("ssh", ["-F", "none", "-o", `ControlPath=${socket}`, "-O", order, "any"], { encoding: "utf8" })
    .stderr;
}

/** How often somebody logged in. */
export function loginsOf(server: SshServer): number {
  return server.log().match(/^Accepted publickey/gm)?.length ?? 0;
}

/** A test with a bench; a file with such tests says `needs("sshd")`. */
export const testWithSsh = base.extend<{ lab: SshBench }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  lab: async ({}, use) => {
    const lab = new SshBench();
    await use(lab);
    await lab.close();
  },
});
