import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DEFAULT_POLICY } from "../config/policy/default-policy.ts";
import { exampleYaml } from "../config/reference/examples.ts";
import { POLICY_FILE, PROJECT_MARK } from "../config/sources/folders.ts";
import { AppError } from "../error.ts";
import { defineOperation } from "./operation.ts";

/** Makes a folder a project. */
export const initProject = defineOperation({
  name: "init",
  summary: "Make this folder a project: write .windlass/config.yaml and a policy beside it.",
  description:
    "Every setting stands in the config file with its default, commented out. The policy lets people do everything and agents only read, with commented examples. Files that exist are left as they are; when both do it is an error.",
  access: "write",
  input: z.strictObject({}),
  output: z.strictObject({
    config: z.string().describe("The config file."),
    policy: z.string().describe("The policy file: who may do what here."),
    database: z.string().describe("Where jobs of this folder are kept from now on, unless something else says it."),
  }),
  errors: ["CONFIG", "POLICY_DENIED"],
  database: "none",
  async run(_, { cwd }) {
    const folder = join(cwd, PROJECT_MARK);
    const [config, policy] = [join(folder, "config.yaml"), join(folder, POLICY_FILE)];
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => refuse(folder, cause));
    const hasConfig = await writeNew(config, commentedOut(exampleYaml()));
    const hasPolicy = await writeNew(policy, DEFAULT_POLICY);
    if (!hasConfig && !hasPolicy)
      throw new AppError("CONFIG", `${config} exists and was left as it is; change it, or move it away first`);
    return { config, policy, database: join(folder, "windlass.db") };
  },
});

/** @returns false for a file that exists; it stays as it is. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return false;
    return refuse(path, cause);
  }
}

function refuse(path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new AppError("CONFIG", `${path} cannot be written (${reason})`, { cause });
}

/** A setting that is not commented out would pin its default through later versions. */
function commentedOut(yaml: string): string {
  return yaml.replace(/^(?!#|$| *#)/gm, "#");
}
