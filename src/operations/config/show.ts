import { z } from "zod";
import { showConfig } from "../../config/show.ts";
import { defineOperation } from "../operation.ts";

/** Shows every setting. */
export const showSettings = defineOperation({
  name: "config.show",
  summary: "Show every setting, secrets masked.",
  access: "read",
  input: z.strictObject({ origin: z.boolean().optional().describe("Also says where each value came from.") }),
  output: z.strictObject({
    settings: z.array(z.strictObject({ key: z.string(), value: z.string(), origin: z.string().optional() })),
  }),
  errors: ["CONFIG"],
  database: "none",
  diagnoses: true,
  lines: ({ settings }) => settings,
  async run({ origin }, { loadConfig }) {
    const settings = showConfig(await loadConfig());
    return {
      settings: settings.map((setting) =>
        origin === true ? { ...setting } : { key: setting.key, value: setting.value },
      ),
    };
  },
});
