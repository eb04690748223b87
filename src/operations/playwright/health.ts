import { z } from "zod";
import { configuredServer } from "../../host/playwright/configured-server.ts";
import { checkHealth } from "../../host/playwright/health.ts";
import { defineOperation } from "../operation.ts";
import { reportFailure } from "./report-failure.ts";
import { withMachines } from "./with-machines.ts";

/** Asks whether a browser server can be used. */
export const playwrightHealth = defineOperation({
  name: "playwright.health",
  summary: "Connect to the browser server of a machine, as a job would.",
  description: "Exit 3 with err=… when it cannot be used, 4 when it does not answer.",
  access: "read",
  input: z.strictObject({
    host: z.string().default("default").describe("The machine: a name of the block hosts, or default."),
  }),
  output: z.strictObject({
    state: z.literal("ok"),
    component: z.literal("playwright"),
    host: z.string(),
    via: z.enum(["ssh", "direct"]).describe("How it was reached."),
    version: z.string().describe("Of Playwright."),
    browser_version: z.string(),
    duration_ms: z.int().min(0),
  }),
  errors: [
    "CONFIG",
    "UNKNOWN_HOST",
    "HOST_UNREACHABLE",
    "PLAYWRIGHT_VERSION_MISMATCH",
    "PLAYWRIGHT_PATH_REJECTED",
    "TIMEOUT",
  ],
  database: "none",
  run: ({ host }, context) =>
    reportFailure(() =>
      withMachines(context, async (parts) => {
        const { clock, signal } = context;
        const startedMs = clock.monotonic();
        const health = await checkHealth(configuredServer(parts, host), signal);
        return {
          state: "ok" as const,
          component: "playwright" as const,
          host,
          via: health.via,
          version: health.version,
          browser_version: health.browserVersion,
          duration_ms: Math.round(clock.monotonic() - startedMs),
        };
      }),
    ),
});
