import { dirname, join } from "node:path";
import { z } from "zod";
import { JobId } from "../../id.ts";
import { defineOperation } from "../operation.ts";
import { ArtifactOutput, findManifest, RunOfJob } from "./find-manifest.ts";
import { locateFiles } from "./locate-files.ts";

/** Lists the kept files of a job. */
export const listArtifacts = defineOperation({
  name: "artifacts.list",
  summary: "List the files that a job kept.",
  access: "read",
  input: RunOfJob,
  output: z.strictObject({
    job_id: JobId,
    root: z.string().describe("The folder that their paths start at."),
    artifacts: z.array(ArtifactOutput),
  }),
  errors: ["ARTIFACT_NOT_FOUND", "INVALID_ID"],
  database: "read",
  positional: ["id"],
  flags: { id: ["id", "job"] },
  lines: ({ artifacts }) => artifacts,
  async run(asked, context) {
    const manifest = await findManifest(context, asked);
    return {
      job_id: manifest.jobId,
      root: folderOf(manifest),
      artifacts: manifest.files.map(({ type, path, bytes, sha256 }) => ({ type, path, size_bytes: bytes, sha256 })),
    };
  },
});

/** The folder that the files of a manifest lie in now. */
export function folderOf(manifest: Parameters<typeof locateFiles>[0]): string {
  const found = locateFiles(manifest).find(({ absolute }) => absolute !== undefined);
  if (found?.absolute === undefined) return join(manifest.root, manifest.folder);
  return found.path.split("/").reduce((folder) => dirname(folder), found.absolute);
}
