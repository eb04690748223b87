import { randomBytes } from "node:crypto";
import { mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { digestFile } from "../../artifact/attempt-folder.ts";
import { AppError } from "../../error.ts";
import { ownedPath } from "../local/owned-folder.ts";
import { localName, remoteName, runBatch, type Transport } from "./sftp.ts";

/** Copies a file or bytes to the machine under a temporary name, reads it back, and renames it when it is the same. */
export async function uploadFile(transport: Transport, source: string | Uint8Array, remotePath: string): Promise<void> {
  const target = remoteName(remotePath);
  const part = remoteName(`${remotePath}.${randomBytes(4).toString("hex")}.part`);
  const folder = await mkdtemp(ownedPath("upload"));
  try {
    const local = typeof source === "string" ? resolve(source) : join(folder, "bytes");
    if (typeof source !== "string") await writeFile(local, source, { mode: 0o600 });
    else await checkSource(local);
    const copy = join(folder, "copy");
    try {
      await runBatch(transport, [`put ${localName(local)} ${part}`, `get ${part} ${localName(copy)}`]);
      if ((await digestFile(local)).sha256 !== (await digestFile(copy)).sha256) {
        throw failed(remotePath, "what arrived is not what was sent; the file may have changed meanwhile");
      }
      await runBatch(transport, [`rename ${part} ${target}`]);
    } catch (error) {
      // Of what could not be finished nothing should stay; where the connection is gone, it does.
      if (!transport.signal.aborted) await runBatch(transport, [`rm ${part}`]).catch(() => undefined);
      throw error;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Copies a file of the machine; the local name appears only with all of it. */
export async function downloadFile(transport: Transport, remotePath: string, localPath: string): Promise<void> {
  const from = remoteName(remotePath);
  const target = resolve(localPath);
  const part = `${target}.${randomBytes(4).toString("hex")}.part`;
  const to = localName(part);
  // sftp would take the remote permissions, which on Windows say nothing.
  await writeFile(part, "", { mode: 0o600, flag: "wx" });
  try {
    await runBatch(transport, [`get ${from} ${to}`]);
    await rename(part, target);
  } finally {
    await rm(part, { force: true });
  }
}

/** Makes a folder of the machine and those above it. */
export async function makeRemoteFolder(transport: Transport, remotePath: string): Promise<void> {
  remoteName(remotePath);
  const [drive = "", ...names] = remotePath.split(/[\\/]+/).filter((name) => name !== "");
  const folders = names.map((_, index) => [drive, ...names.slice(0, index + 1)].join("/"));
  // A folder that is there already fails as one that cannot be made does; whether it is there then tells.
  const lines = folders.map((folder) => `-mkdir ${remoteName(folder)}`);
  await runBatch(transport, [...lines, `cd ${remoteName(remotePath)}`]);
}

async function checkSource(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return;
  const problem = found === undefined ? "does not exist" : "is no file";
  throw new AppError("INVALID_PATH", `${path} cannot be copied: it ${problem}`, { details: { path } });
}

function failed(path: string, problem: string): AppError {
  return new AppError("TRANSFER_FAILED", `${path} was not copied: ${problem}`, { details: { path } });
}
