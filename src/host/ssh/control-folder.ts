import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, type Stats } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { AppError } from "../../error.ts";
import type { SshTarget } from "./options.ts";

/** A socket's path has 108 bytes; ssh binds it under a name that is 17 longer first. */
const FOLDER_BYTES_MAX = 108 - 1 - 17 - 1 - 32;
const OWNER_ONLY = 0o077;

/**
 * Where this account's processes keep the sockets of their shared connections: whoever can open one is logged in. It is
 * made where it is missing.
 *
 * @throws AppError `CONFIG` when another account owns it or can look into it, or its path is too long.
 */
export function prepareControlFolder(folder: string = defaultControlFolder()): string {
  if (Buffer.byteLength(folder) > FOLDER_BYTES_MAX) throw unfit(folder, `is longer than ${FOLDER_BYTES_MAX} bytes`);
  const { uid } = userInfo();
  const found = lstatSync(folder, { throwIfNoEntry: false }) ?? makeFolder(folder);
  if (!found.isDirectory()) throw unfit(folder, "is no folder");
  if (found.uid !== uid) throw unfit(folder, "belongs to another account");
  if ((found.mode & OWNER_ONLY) !== 0) throw unfit(folder, "is open to other accounts");
  return folder;
}

function makeFolder(folder: string): Stats {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return lstatSync(folder);
  } catch (error) {
    throw unfit(folder, `cannot be made (${(error as NodeJS.ErrnoException).code})`);
  }
}

/**
 * The name of a machine's socket. ssh's own `%C` leaves the key and the known hosts out: then a configuration with a
 * wrong key would work as long as somebody else's connection is open.
 */
export function controlName(target: SshTarget): string {
  const { sshHost, sshPort, sshUser, sshIdentityFile, sshKnownHosts } = target;
  const facts = JSON.stringify([sshHost, sshPort, sshUser, sshIdentityFile, sshKnownHosts]);
  return createHash("sha256").update(facts).digest("hex").slice(0, 16);
}

/** In a folder that only we can write where the system gives one, else in the one for temporary files. */
export function defaultControlFolder(): string {
  const own = process.env["XDG_RUNTIME_DIR"];
  const { uid } = userInfo();
  if (own !== undefined && own !== "" && own.length < FOLDER_BYTES_MAX - 20) return join(own, "windlass-ssh");
  const short = tmpdir().length < FOLDER_BYTES_MAX - 24 ? tmpdir() : "/tmp";
  return join(short, `windlass-ssh-${uid}`);
}

function unfit(folder: string, problem: string): AppError {
  const advice = "remove it, or set XDG_RUNTIME_DIR to a folder of your own";
  return new AppError("CONFIG", `the folder for SSH connections ${folder} ${problem}; ${advice}`, {
    details: { path: folder },
  });
}
