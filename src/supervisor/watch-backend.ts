import { existsSync } from "node:fs";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { openAnyVersion } from "../database/open.ts";
import { probeHatchet } from "../host/http/probe-hatchet.ts";
import type { Watched } from "./component.ts";

/** What the check of the job backend stands on. */
export interface BackendParts {
  readonly config: Pick<Config, "backend" | "database" | "hatchet" | "timeoutMs">;
  readonly clock: Clock;
}

/** The job backend: it is on this machine or next to it, so it does not stand behind SSH, and nothing repairs it. */
export function watchBackend({ config, clock }: BackendParts): Watched {
  const { path } = config.database;
  if (config.backend !== "embedded") return watchHatchet({ config, clock });
  return {
    component: "backend",
    // The first job or worker creates it.
    notConfigured: existsSync(path) ? undefined : `there is no database yet at ${path}`,
    repairs: [],
    async probe() {
      const db = openAnyVersion(path);
      try {
        db.pragma("user_version");
        return { isGood: true, detail: `${path} can be read` };
      } finally {
        db.close();
      }
    },
  };
}

function watchHatchet({ config: { hatchet, timeoutMs }, clock }: BackendParts): Watched {
  return {
    component: "backend",
    repairs: [],
    probe: ({ signal }) => probeHatchet(hatchet.healthUrl, { clock, timeoutMs, signal }),
  };
}
