import { configError } from "../schema/setting.ts";

/**
 * Parses the text of a config file: JSON where the path ends in `.json`, else YAML.
 *
 * @throws AppError `CONFIG`
 */
export async function parseConfigText(path: string, text: string): Promise<unknown> {
  return path.endsWith(".json") ? parseJson(path, text) : parseYaml(path, text);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The message quotes the text around the fault, which may hold a secret: only the position is taken over.
    const at = /line \d+ column \d+/.exec(String(error))?.[0];
    throw configError(path, `is not valid JSON${at === undefined ? "" : ` (${at})`}`);
  }
}

async function parseYaml(path: string, text: string): Promise<unknown> {
  // Loaded only for a YAML file: it costs more than everything else here together.
  const { parse } = await import("yaml");
  try {
    return parse(text, { logLevel: "error" });
  } catch (error) {
    // The first line has reason and position; those after it quote the file, which may hold a secret.
    const [reason = ""] = String((error as Error).message).split("\n");
    throw configError(path, `is not valid YAML: ${reason.replace(/:$/, "")}`);
  }
}
