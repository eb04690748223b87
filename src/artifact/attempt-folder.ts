import { createHash, randomUUID } from "node:crypto";
import { constants, createReadStream, existsSync, mkdirSync, readdirSync } from "node:fs";
import { chmod, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { AppError } from "../error.ts";
import type { KeptFile } from "../job/context.ts";
import type { Redactor } from "../redact.ts";
import { type ManifestFile, mediaType } from "./manifest.ts";
import { checkKeptPath, resolveBelow } from "./path.ts";

/** Where an attempt writes, relative to the artifact root. */
export function attemptPath(jobId: string, runNumber: number, attempt: number): string {
  return `${jobId}/.attempts/${runNumber}-${attempt}`;
}

/** True for what {@link attemptPath} makes of an attempt of this run: a row that was written by hand leads nowhere else. */
export function isAttemptPath(path: string, jobId: string, runNumber: number): boolean {
  const own = attemptPath(jobId, runNumber, 0).slice(0, -1);
  return path.startsWith(own) && /^[1-9]\d{0,8}$/.test(path.slice(own.length));
}

/** Where the kept files of a run lie once they were moved, relative to the artifact root. */
export function keptPath(jobId: string, runNumber: number): string {
  return runNumber === 1 ? jobId : `${jobId}/runs/${runNumber}`;
}

/**
 * The folder of one attempt. It is made when it is first needed, so a job that keeps nothing costs no file operation.
 */
export class AttemptFolder {
  /** Relative to the root. */
  readonly path: string;
  readonly #root: string;
  #made = false;
  readonly #taken: boolean;

  /** @param taken it belonged to an earlier attempt, so it may be there already. */
  constructor(root: string, path: string, taken = false) {
    this.#root = root;
    this.path = path;
    this.#taken = taken;
  }

  /** The absolute path; the folder exists (mode 0700) when this returns. */
  make(): string {
    const absolute = join(this.#root, this.path);
    if (!this.#made) {
      mkdirSync(absolute, { recursive: true, mode: 0o700 });
      this.#made = true;
    }
    return absolute;
  }

  /** True when the attempt, or the one whose folder it took over, wrote something. */
  get exists(): boolean {
    return this.#made || (this.#taken && existsSync(join(this.#root, this.path)));
  }

  /**
   * Writes a whole file under a temporary name, then renames it: nobody ever reads half of it.
   *
   * @throws AppError `INVALID_PATH`, `TOO_LARGE` beyond `bytesMax`.
   */
  async keep(path: string, content: string | Uint8Array, bytesMax: number): Promise<KeptFile> {
    const parts = checkKeptPath(path);
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    if (bytes.byteLength > bytesMax)
      throw new AppError(
        "TOO_LARGE",
        `file ${path} has ${bytes.byteLength} bytes; output.kept_bytes allows ${bytesMax}`,
      );
    const target = resolveBelow(this.make(), parts);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const temporary = `${target}.${randomUUID()}.part`;
    const file = await open(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    return { path: parts.join("/"), sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.byteLength };
  }

  /**
   * Ends the attempt's writing: masks secrets in every file when the job resolved any, and hashes what stays.
   *
   * @param redactor absent: the job resolved no secret and files stay as they are.
   */
  async seal(redactor?: Redactor): Promise<readonly ManifestFile[]> {
    if (!this.exists) return [];
    const root = join(this.#root, this.path);
    const files: ManifestFile[] = [];
    for (const absolute of regularFiles(root)) {
      if (redactor !== undefined) await maskFile(absolute, redactor);
      const path = relative(root, absolute).split(sep).join("/");
      files.push({ type: mediaType(path), path, ...(await digestFile(absolute)) });
    }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}

/** Size and SHA-256 of a file, read as a stream. */
export async function digestFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** The regular files below a folder; links and special files are not followed and not kept. */
export function* regularFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* regularFiles(path);
    else if (entry.isFile() && !entry.name.endsWith(".part")) yield path;
  }
}

/** Writes a file again with its secrets masked. */
export async function maskFile(path: string, redactor: Redactor): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  const { mode } = await stat(path);
  const out = await open(temporary, "wx", 0o600);
  try {
    const masked = redactor.stream();
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) await out.write(masked.push(chunk));
    await out.write(masked.flush());
    await out.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await out.close();
  }
  await rename(temporary, path);
  await chmod(path, mode & 0o777);
}
