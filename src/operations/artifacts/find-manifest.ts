import { z } from "zod";
import type { Manifest } from "../../artifact/manifest.ts";
import { AppError } from "../../error.ts";
import { JobId } from "../../id.ts";
import type { DatabaseContext } from "../operation.ts";

/** Which files are meant: those of a job's run. */
export const RunOfJob = z.strictObject({
  id: JobId,
  run: z.int().min(1).optional().describe("Which run of the job; default the newest that kept files."),
});

/** One kept file as surfaces show it. */
export const ArtifactOutput = z.strictObject({
  type: z.string().describe("Media type."),
  path: z.string().describe("Relative to the job's folder."),
  size_bytes: z.int(),
  sha256: z.string(),
});

/**
 * The manifest of a run.
 *
 * @throws AppError `ARTIFACT_NOT_FOUND`; its details are what a surface shows beside it.
 */
export async function findManifest(
  { windlass: { backend } }: DatabaseContext,
  { id, run }: z.output<typeof RunOfJob>,
): Promise<Manifest> {
  const manifest = await backend.artifacts.manifest(id, run);
  if (manifest !== undefined) return manifest;
  const which = run === undefined ? `job ${id}` : `run ${run} of job ${id}`;
  const status = await backend.status(id);
  const why = status === undefined ? "there is no such job" : `it is ${status.state} and kept no file`;
  throw new AppError("ARTIFACT_NOT_FOUND", `${which} has no artifacts: ${why}`, {
    details: { job_id: id, state: "not_found" },
  });
}
