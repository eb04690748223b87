import { execFile } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { helperEnvironment } from "../../host/local/environment.ts";

/** A side fact is not waited for. */
const LIMIT_MS = 2_000;
const BANNER_MAX = 255;

/** What `ssh -V` says of itself, such as `OpenSSH_9.2p1`; null where there is no ssh. */
export function readClientVersion(): Promise<string | null> {
  return new Promise((resolve) => {
    execFile("ssh", ["-V"], { timeout: LIMIT_MS, env: helperEnvironment() }, (error, stdout, stderr) => {
      resolve(error === null ? (/^[^\s,]+/.exec(`${stderr}${stdout}`)?.[0] ?? null) : null);
    });
  });
}

/**
 * How the server names itself, such as `OpenSSH_for_Windows_9.5`, by the line that it greets everybody with
 * (RFC 4253, 4.2); null where ssh gets there by a jump host or an alias and we do not.
 */
export async function readServerVersion({ host, port }: { host: string; port: number }): Promise<string | null> {
  const socket = net.connect({ host, port, signal: AbortSignal.timeout(LIMIT_MS) });
  socket.on("error", () => undefined);
  try {
    let said = "";
    while (!said.includes("\n") && said.length < BANNER_MAX) {
      const [bytes] = (await once(socket, "data", { signal: AbortSignal.timeout(LIMIT_MS) })) as [Buffer];
      said += bytes.toString("latin1");
    }
    return /^SSH-2\.0-([\x21-\x7e]{1,100})/.exec(said)?.[1] ?? null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}
