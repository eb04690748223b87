import type { CallLimits } from "../../clock.ts";
import { isAppError } from "../../error.ts";
import { authorityOf } from "../model/endpoint.ts";
import { failure } from "./failure.ts";
import { askHostVersion, type HostVersion } from "./host-version.ts";
import { type Knock, knock } from "./knock.ts";
import type { Route } from "./open-route.ts";
import type { ServerParts } from "./server-parts.ts";
import { clientVersion, isSameRelease, release } from "./version.ts";

/**
 * Makes sure that the server is there and speaks our version, before anything else is asked of it. Through SSH the host
 * and the server are asked at once and both must agree. Without SSH the server's own word counts, and the host is asked
 * only when the path was refused: the server looks at the path first, so a wrong one hides another version.
 *
 * @throws AppError `PLAYWRIGHT_VERSION_MISMATCH`, `PLAYWRIGHT_PATH_REJECTED`, `HOST_UNREACHABLE`, `TIMEOUT`, and what
 *   the host throws; the reason of the signal.
 */
export async function checkServer(route: Route, parts: ServerParts, signal: AbortSignal): Promise<void> {
  const version = clientVersion();
  const limits: CallLimits = { clock: parts.clock, timeoutMs: parts.timeoutMs, signal };
  const knocking = knock(route.endpoint, parts.wsPath.value, version, limits);
  const [answer, host] = await Promise.all([
    knocking,
    route.access === undefined ? undefined : askHostVersion(route.access, limits),
  ]);
  const known = host ?? (answer.kind === "path_rejected" ? await tryHostVersion(parts, signal) : undefined);
  refuseOtherVersion(answer, known, version);
  refuseBadAnswer(answer, parts);
}

/** The host may be one that SSH does not reach: then the refused path is all that is known. */
async function tryHostVersion(parts: ServerParts, signal: AbortSignal): Promise<HostVersion | undefined> {
  try {
    await using access = await parts.openAccess({ signal });
    return await askHostVersion(access, { timeoutMs: parts.timeoutMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!isAppError(error)) throw error;
    return undefined;
  }
}

function refuseOtherVersion(answer: Knock, host: HostVersion | undefined, version: string): void {
  // A server that runs counts for more than what was installed since.
  const ofHost = host?.running ?? host?.installed ?? undefined;
  const isOther = ofHost !== undefined && !isSameRelease(ofHost, version);
  const other = isOther ? ofHost : answer.kind === "version_mismatch" ? answer.serverVersion : undefined;
  if (other === undefined) return;
  const remedy = `run \`npm install playwright@${version}\` on the host, in the folder of the server or globally, then \`windlass playwright install\``;
  throw failure(
    "PLAYWRIGHT_VERSION_MISMATCH",
    "version_mismatch",
    `the browser server has Playwright ${release(other)} and this program ${release(version)}; ${remedy}`,
    { server_version: other, client_version: version },
  );
}

function refuseBadAnswer(answer: Knock, { server, timeoutMs }: ServerParts): void {
  const where = authorityOf(server);
  const install = "`windlass playwright install` starts it";
  switch (answer.kind) {
    case "accepted":
    case "version_mismatch":
      return;
    case "path_rejected":
      throw failure(
        "PLAYWRIGHT_PATH_REJECTED",
        "ws_path_rejected",
        `the browser server at ${where} has another secret path; set WINDLASS_PLAYWRIGHT_WS_PATH to the one it was installed with, or install it again`,
      );
    case "foreign": {
      const what = answer.status === undefined ? "no HTTP" : `status ${answer.status}`;
      const reason = `what answers at ${where} is no browser server (${what})`;
      throw failure("HOST_UNREACHABLE", "not_playwright", `${reason}; look at playwright.port and playwright.tunnel`);
    }
    case "unreachable":
      throw failure("HOST_UNREACHABLE", "unreachable", `no browser server at ${where} (${answer.reason}); ${install}`);
    case "silent":
      throw failure("TIMEOUT", "timeout", `the browser server at ${where} did not answer within ${timeoutMs} ms`);
  }
}
