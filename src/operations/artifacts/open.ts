import { z } from "zod";
import { JobId } from "../../id.ts";
import { defineOperation } from "../operation.ts";
import { findManifest, RunOfJob } from "./find-manifest.ts";
import { folderOf } from "./list.ts";
import { locateFiles } from "./locate-files.ts";

/** Tells where the kept files of a job lie, for whoever shows them. */
export const openArtifacts = defineOperation({
  name: "artifacts.open",
  summary: "Tell where the files of a job lie, or show them.",
  description: "On a desktop it opens the folder in the file manager; elsewhere it prints the paths.",
  access: "read",
  input: RunOfJob,
  output: z.strictObject({
    job_id: JobId,
    folder: z.string(),
    files: z.array(z.strictObject({ type: z.string(), path: z.string().describe("Absolute.") })),
  }),
  errors: ["ARTIFACT_NOT_FOUND", "INVALID_ID"],
  database: "read",
  positional: ["id"],
  flags: { id: ["id", "job"] },
  lines: ({ job_id, folder, files }) => [{ job_id, folder }, ...files],
  async run(asked, context) {
    const manifest = await findManifest(context, asked);
    return {
      job_id: manifest.jobId,
      folder: folderOf(manifest),
      files: locateFiles(manifest).flatMap(({ type, absolute }) =>
        absolute === undefined ? [] : [{ type, path: absolute }],
      ),
    };
  },
});
