import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Redactor } from "../../redact.ts";

/** How the end of a file is read. */
export interface TailOptions {
  readonly tailBytes: number;
  /** Masks secrets; the file is then read from its beginning, because a secret that is cut in two would not be found. */
  readonly redactor: Redactor | undefined;
}

/** The end of a file as text, and the length of the whole; `undefined` when there is no such file. */
export async function readTail(
  path: string,
  { tailBytes, redactor }: TailOptions,
): Promise<{ readonly bytes: number; readonly text: string } | undefined> {
  const file = await openFile(path);
  if (file === undefined) return undefined;
  await using handle = file;
  const { size } = await handle.stat();
  const start = redactor === undefined ? Math.max(0, size - tailBytes) : 0;
  const masked = redactor?.stream();
  let tail = Buffer.alloc(0);
  const add = (bytes: Uint8Array): void => {
    tail = Buffer.concat([tail, bytes]).subarray(-tailBytes);
  };
  for await (const chunk of handle.createReadStream({ start, autoClose: false }) as AsyncIterable<Buffer>)
    add(masked === undefined ? chunk : masked.push(chunk));
  if (masked !== undefined) add(masked.flush());
  return { bytes: size, text: tail.toString() };
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}
