import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { exampleYaml } from "../config/reference/examples.ts";
import { PROJECT_MARK } from "../config/sources/folders.ts";
import { AppError } from "../error.ts";
import { defineOperation } from "./operation.ts";

/** Makes a folder a project. */
export const initProject = defineOperation({
  name: "init",
  summary: "Make this folder a project: write .windlass/config.yaml.",
  description: "Every setting stands in the file with its default, commented out. An existing file is left as it is.",
  access: "write",
  input: z.strictObject({}),
  output: z.strictObject({
    config: z.string().describe("The file that was written."),
    database: z.string().describe("Where jobs of this folder are kept from now on, unless something else says it."),
  }),
  errors: ["CONFIG", "POLICY_DENIED"],
  database: "none",
  async run(_, { cwd }) {
    const folder = join(cwd, PROJECT_MARK);
    const config = join(folder, "config.yaml");
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(config, commentedOut(exampleYaml()), { flag: "wx", mode: 0o600 });
    } catch (cause) {
      const exists = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
      const reason = exists
        ? "exists and was left as it is; change it, or move it away first"
        : `cannot be written (${cause instanceof Error ? cause.message : String(cause)})`;
      throw new AppError("CONFIG", `${config} ${reason}`, { cause });
    }
    return { config, database: join(folder, "windlass.db") };
  },
});

/** A setting that is not commented out would pin its default through later versions. */
function commentedOut(yaml: string): string {
  return yaml.replace(/^(?!#|$| *#)/gm, "#");
}
