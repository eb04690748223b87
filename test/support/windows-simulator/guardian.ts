import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { ROOT_VARIABLE } from "./state.ts";

/**
 * `sh SCRIPT MARK FOLDER… -- PID…`: reads its input, which ends when the test process ends, however it ends. Without a
 * word on it, kills the servers (only if their command lines still name a folder), then everything with the mark, until
 * nothing is left, and removes the folders. A task that is restarted for ever would otherwise outlive a killed test run.
 */
const SCRIPT = `
read -r word
[ "$word" = released ] && exit 0
mark=$1 server=$2
shift 2
for folder in "$@"; do
  [ "$server" != 0 ] && grep -qsF "$folder" "/proc/$server/cmdline" && kill -9 "$server"
done
while :; do
  left=$(grep -lzxsF "$mark" /proc/[0-9]*/environ)
  [ -z "$left" ] && break
  for file in $left; do pid=\${file#/proc/}; kill -9 "\${pid%/environ}" 2>/dev/null; done
done
rm -rf "$@"
`;

/** What is to go with the test process. */
export interface Guarded {
  /** The machine's folder. */
  readonly folder: string;
  readonly ssh?: { readonly pid: number; readonly hostKeyFile: string };
}

/** Watches over a machine; the answer lets it go. */
export function guardMachine({ folder, ssh }: Guarded): () => Promise<void> {
  const folders = ssh === undefined ? [folder] : [folder, dirname(ssh.hostKeyFile)];
  const args = ["-c", SCRIPT, "sh", `${ROOT_VARIABLE}=${folder}`, String(ssh?.pid ?? 0), ...folders];
  // A session of its own: what ends the group of the test process must not end it.
  const child = spawn("/bin/sh", args, { stdio: ["pipe", "ignore", "ignore"], detached: true });
  const exited = once(child, "exit");
  child.unref();
  return async () => {
    child.ref();
    child.stdin.end("released\n");
    await exited;
  };
}
