import type { NetworkContext } from "../check.ts";
import { type Finding, notConfigured, ok, unreachable, warn } from "../model/finding.ts";

/** The SDK is no part of this version. */
const SDK = { hatchet_sdk_version: "unknown" };

/** Whether the queue that jobs go to answers. */
export async function jobBackend(context: NetworkContext): Promise<Finding> {
  const { config, path, db, openError } = context;
  if (config.backend !== "embedded") return hatchet(context);
  const facts = { backend: "embedded", ...SDK };
  if (db !== undefined) return ok(`embedded: ${path} answers`, facts);
  if (openError === undefined || openError.code === "DATABASE_MISSING")
    return notConfigured(`embedded: there is no database yet at ${path}; the first job makes it`, facts);
  return unreachable(`embedded: ${path} gives no answer`, "see the line database first", facts);
}

async function hatchet({ config, clock, signal }: NetworkContext): Promise<Finding> {
  const facts = { backend: "hatchet", ...SDK };
  // Node's HTTP takes longer to load than all else here, and the embedded backend needs none.
  const { probeHatchet } = await import("../../host/http/probe-hatchet.ts");
  const { timeoutMs, hatchet } = config;
  const { isGood, detail } = await probeHatchet(hatchet.healthUrl, { clock, timeoutMs, signal });
  signal.throwIfAborted();
  if (!isGood)
    return unreachable(`hatchet: ${detail}`, "start the Hatchet server, or correct hatchet.health_url", facts);
  return warn(
    `hatchet: ${detail}, and this version cannot give it jobs`,
    "use `backend: embedded`, or a version with Hatchet",
    facts,
  );
}
