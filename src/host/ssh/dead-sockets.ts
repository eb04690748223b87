import { randomBytes } from "node:crypto";
import { existsSync, lstatSync, readdirSync, renameSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { defaultControlFolder, prepareControlFolder } from "./control-folder.ts";

/** A shared name, or one that was never published. What ssh binds first has a longer one, and listens only later. */
const NAME = /^[0-9a-f]{16}(?:\.[0-9a-f]{8})?$/;

/** Removes the sockets of shared connections that nobody serves any more: ssh was killed, or ended after its idle minute. */
export async function removeDeadSockets(folder: string = defaultControlFolder()): Promise<void> {
  if (!existsSync(folder)) return;
  prepareControlFolder(folder);
  for (const name of readdirSync(folder).filter((name) => NAME.test(name))) {
    const path = join(folder, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isSocket() && (await isRefused(path))) removeSame(path, found.ino);
  }
}

/** The kernel refuses for a socket whose process has ended, and for no other that listens. */
function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}

/** Another process may publish a socket under the name at this moment: it gets its name back. */
function removeSame(path: string, inode: number): void {
  const aside = `${path}.${randomBytes(4).toString("hex")}.gone`;
  try {
    renameSync(path, aside);
  } catch {
    // It was removed, or replaced and removed.
    return;
  }
  if (lstatSync(aside).ino === inode) rmSync(aside, { force: true });
  else renameSync(aside, path);
}
