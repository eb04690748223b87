import { constants, existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { OutputFile } from "../operations/jobs/output-files.ts";
import type { RedactingStream, Redactor } from "../redact.ts";

/** Takes bytes of one stream; resolves when more may come. */
export type WriteBytes = (stream: OutputFile["stream"], bytes: Uint8Array) => Promise<void>;

/** What a follower is made of. */
export interface FollowerOptions {
  readonly files: readonly OutputFile[];
  readonly write: WriteBytes;
  /** Masks secrets of a job that refers to some. */
  readonly redactor: Redactor | undefined;
}

/** How often files are looked at. Watching them costs more than reading nothing: a program that writes a lot wakes a watcher for each write. */
const POLL_MS = 20;
const CHUNK_BYTES = 65_536;

interface Tail {
  readonly file: OutputFile;
  readonly masked: RedactingStream | undefined;
  handle: FileHandle | undefined;
  offset: number;
}

/**
 * Passes on what an attempt writes to its files, every byte once. A file that is open stays the same file when it is moved
 * to its kept place or replaced by a masked copy, so what is left of it can always be read.
 */
export class OutputFollower implements AsyncDisposable {
  readonly #options: FollowerOptions;
  #folder: string | undefined;
  #tails: readonly Tail[] = [];
  #busy: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isFollowing = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Follows the files of this folder from their beginning; what the folder before still holds is passed on first. */
  async attach(folder: string): Promise<void> {
    if (folder === this.#folder) return;
    await this.finish([]);
    this.#folder = folder;
    this.#tails = this.#options.files.map((file) => ({
      file,
      masked: this.#options.redactor?.stream(),
      handle: undefined,
      offset: 0,
    }));
    this.#isFollowing = true;
    this.#arm();
  }

  /** True when a file that is open no longer lies in its folder: it was moved to its kept place. */
  get hasMoved(): boolean {
    return this.#tails.some(
      ({ handle, file }) => handle !== undefined && !existsSync(join(this.#folder ?? "", file.path)),
    );
  }

  /**
   * The attempt has ended: passes on the rest and closes.
   *
   * @param elsewhere folders to look into for files that were never seen in their own.
   */
  async finish(elsewhere: readonly string[]): Promise<void> {
    await this.#stopFollowing();
    for (const tail of this.#tails) {
      for (const folder of [...(this.#folder === undefined ? [] : [this.#folder]), ...elsewhere]) {
        tail.handle ??= await openFile(join(folder, tail.file.path));
      }
      await this.#read(tail);
      await this.#write(tail, tail.masked?.flush());
      await tail.handle?.close();
    }
    this.#tails = [];
    this.#folder = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopFollowing();
    for (const { handle } of this.#tails) await handle?.close();
    this.#tails = [];
  }

  /** From when this resolves nothing is read beside the caller's own reading. */
  async #stopFollowing(): Promise<void> {
    this.#isFollowing = false;
    clearTimeout(this.#timer);
    await this.#busy;
  }

  #arm(): void {
    if (!this.#isFollowing) return;
    this.#timer = setTimeout(() => {
      this.#busy = this.#look().finally(() => this.#arm());
    }, POLL_MS);
  }

  async #look(): Promise<void> {
    for (const tail of this.#tails) {
      tail.handle ??= await openFile(join(this.#folder ?? "", tail.file.path));
      await this.#read(tail);
    }
  }

  async #read(tail: Tail): Promise<void> {
    const { handle } = tail;
    if (handle === undefined) return;
    const { size } = await handle.stat();
    // It was cut at output.kept_bytes: what follows the cut is new.
    if (size < tail.offset) tail.offset = size;
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, tail.offset);
      if (bytesRead === 0) return;
      tail.offset += bytesRead;
      const bytes = buffer.subarray(0, bytesRead);
      await this.#write(tail, tail.masked === undefined ? bytes : tail.masked.push(bytes));
    }
  }

  async #write({ file }: Tail, bytes: Uint8Array | undefined): Promise<void> {
    // A copy: the buffer is used again before a slow reader took what it holds.
    if (bytes !== undefined && bytes.length > 0) await this.#options.write(file.stream, Uint8Array.from(bytes));
  }
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    // A job may have put a link in the place of its output.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}
