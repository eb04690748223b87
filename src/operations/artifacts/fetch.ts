import { createHash } from "node:crypto";
import { constants, mkdirSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { checkKeptPath, resolveBelow } from "../../artifact/path.ts";
import { AppError } from "../../error.ts";
import { JobId } from "../../id.ts";
import { ErrorText, verdictOf } from "../fields.ts";
import { defineOperation } from "../operation.ts";
import { findManifest, RunOfJob } from "./find-manifest.ts";
import { type LocatedFile, locateFiles } from "./locate-files.ts";

/** Copies the kept files of a job and proves that they are what was kept. */
export const fetchArtifacts = defineOperation({
  name: "artifacts.fetch",
  summary: "Copy the files that a job kept, and verify each SHA-256.",
  description: "They come to <out>/<job id>/. A file that is gone makes it partial; a damaged one is left out.",
  access: "read",
  input: RunOfJob.extend({ out: z.string().min(1).describe("The folder to write below.") }),
  output: z.strictObject({
    job_id: JobId,
    state: z.enum(["completed", "partial"]),
    out_dir: z.string(),
    files: z.array(z.string()).describe("What was written, relative to out_dir."),
    error: ErrorText.nullable(),
  }),
  errors: ["ARTIFACT_NOT_FOUND", "ARTIFACT_DAMAGED", "INVALID_PATH", "INVALID_ID"],
  database: "read",
  positional: ["id"],
  flags: { id: ["id", "job"] },
  verdict: ({ error }) => verdictOf(error),
  lines: ({ job_id, state, out_dir, files, error }) => [
    { job_id, state, out_dir, files: files.length, error: error ?? undefined },
  ],
  async run({ out, ...asked }, context) {
    const manifest = await findManifest(context, asked);
    const folder = join(resolve(context.cwd, out), manifest.jobId);
    const files: string[] = [];
    const gone: string[] = [];
    const damaged: string[] = [];
    for (const file of locateFiles(manifest)) {
      const outcome = await copy(file, folder);
      ({ copied: files, gone, damaged })[outcome].push(file.path);
    }
    return {
      job_id: manifest.jobId,
      state: files.length === manifest.files.length ? ("completed" as const) : ("partial" as const),
      out_dir: folder,
      files,
      error: problem(gone, damaged),
    };
  },
});

type Outcome = "copied" | "gone" | "damaged";

/** Under a temporary name first: what is not verified never bears the file's name. */
async function copy(file: LocatedFile, folder: string): Promise<Outcome> {
  if (file.absolute === undefined) return "gone";
  const target = resolveBelow(folder, checkKeptPath(file.path));
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.part`;
  await rm(temporary, { force: true });
  const written = await copyBytes(file.absolute, temporary);
  if (written.sha256 !== file.sha256 || written.bytes !== file.bytes) {
    await rm(temporary, { force: true });
    return "damaged";
  }
  await rename(temporary, target);
  return "copied";
}

async function copyBytes(from: string, to: string): Promise<{ bytes: number; sha256: string }> {
  await using source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  await using target = await openNew(to);
  const hash = createHash("sha256");
  let bytes = 0;
  // Hashed on the way: what is verified is what was written.
  for await (const chunk of source.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    await target.writeFile(chunk);
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("INVALID_PATH", `${path} cannot be written (${reason}); choose another folder with --out`, {
      cause,
    });
  }
}

function problem(gone: readonly string[], damaged: readonly string[]): string | null {
  if (damaged.length > 0) return `ARTIFACT_DAMAGED: what was kept is not what lies there: ${damaged.join(", ")}`;
  if (gone.length > 0) return `ARTIFACT_NOT_FOUND: the files are gone: ${gone.join(", ")}`;
  return null;
}
