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
  description:
    "On a desktop it opens what shows them: Playwright's viewer for a trace, else the folder in the file manager. Elsewhere it prints the paths and what to type.",
  access: "read",
  input: RunOfJob,
  output: z.strictObject({
    job_id: JobId,
    folder: z.string(),
    files: z.array(z.strictObject({ type: z.string(), path: z.string().describe("Absolute.") })),
    viewer: z
      .array(z.string())
      .nullable()
      .describe("The argv of what shows more than a file manager does; null where nothing does."),
  }),
  errors: ["ARTIFACT_NOT_FOUND", "INVALID_ID"],
  database: "read",
  positional: ["id"],
  flags: { id: ["id", "job"] },
  lines: ({ job_id, folder, files, viewer }) => [
    { job_id, folder, ...(viewer === null ? {} : { show: viewer.join(" ") }) },
    ...files,
  ],
  async run(asked, context) {
    const manifest = await findManifest(context, asked);
    const located = locateFiles(manifest);
    const trace = located.find(({ path, absolute }) => path === TRACE && absolute !== undefined)?.absolute;
    return {
      job_id: manifest.jobId,
      folder: folderOf(manifest),
      files: located.flatMap(({ type, absolute }) => (absolute === undefined ? [] : [{ type, path: absolute }])),
      viewer: trace === undefined ? null : ["npx", "playwright-core", "show-trace", trace],
    };
  },
});

/** Kept by `playwright.run`. */
const TRACE = "playwright/trace.zip";
