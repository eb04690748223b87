import { existsSync } from "node:fs";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { openAnyVersion } from "../database/open.ts";
import { exchangeRepeatedly } from "../host/http/repeat.ts";
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
  const url = readyUrl(hatchet.healthUrl);
  return {
    component: "backend",
    repairs: [],
    async probe({ signal }) {
      const answer = await exchangeRepeatedly({ method: "GET", url }, { clock, timeoutMs, signal });
      if (answer.kind === "lost") return { isGood: false, detail: `${url}: ${answer.reason}` };
      return { isGood: answer.status === 200, detail: `${url} answers ${answer.status}` };
    },
  };
}

/** A URL with a path is used as it is. */
function readyUrl(healthUrl: string): string {
  return new URL(healthUrl).pathname === "/" ? `${healthUrl}/ready` : healthUrl;
}
