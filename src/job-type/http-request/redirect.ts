import { AppError } from "../../error.ts";
import type { SecretOrigin } from "./secret-mark.ts";

/** One request of the chain: the first as the job says, the others as the redirects made them. */
export interface Leg {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What of it came from secrets. */
  readonly secret: SecretOrigin;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const BODY_HEADERS: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
]);
const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "cookie"]);

/**
 * The request that an answer asks for next, by the rules of fetch; `undefined` when the answer is no redirect.
 *
 * @throws AppError `UNEXPECTED_STATUS` for a location that is no URL; `ADDRESS_REFUSED` for one that is not http(s), that
 *   holds credentials, and where following it would carry a secret from https to http or a secret body to another origin.
 * @see https://fetch.spec.whatwg.org/#http-redirect-fetch
 */
export function followRedirect(leg: Leg, status: number, location: string | undefined): Leg | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  const url = readLocation(leg.url, status, location);
  const { method } = leg;
  const becomesGet =
    status === 303 ? method !== "GET" && method !== "HEAD" : (status === 301 || status === 302) && method === "POST";
  const next = becomesGet ? withoutBody(leg) : leg;
  if (url.origin === leg.url.origin) return { ...next, url };
  refuseLeak(next, url);
  return withoutCredentials(next, url);
}

function readLocation(from: URL, status: number, location: string): URL {
  const url = URL.parse(location, from.href);
  if (url === null) {
    throw new AppError("UNEXPECTED_STATUS", `${from.origin} answered ${status} with a location that is no URL`, {
      details: { status },
    });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new AppError(
      "ADDRESS_REFUSED",
      `${from.origin} redirects to a ${url.protocol} URL; only http: and https: are followed`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new AppError("ADDRESS_REFUSED", `${from.origin} redirects to a URL with a user name or a password`);
  }
  if (url.hash === "") url.hash = from.hash;
  return url;
}

function withoutBody({ url, headers, secret }: Leg): Leg {
  return {
    method: "GET",
    url,
    headers: without(headers, (name) => BODY_HEADERS.has(name)),
    secret: { ...secret, body: false },
  };
}

function withoutCredentials(leg: Leg, url: URL): Leg {
  return { ...leg, url, headers: without(leg.headers, (name) => isCredential(leg, name)) };
}

function refuseLeak(leg: Leg, to: URL): void {
  const from = leg.url;
  if (leg.secret.body) {
    throw new AppError(
      "ADDRESS_REFUSED",
      `${from.origin} redirects to ${to.origin}, which would send it the secret body; send the request there directly`,
    );
  }
  const downgrade = from.protocol === "https:" && to.protocol === "http:";
  if (downgrade && Object.keys(leg.headers).some((name) => isCredential(leg, name))) {
    throw new AppError(
      "ADDRESS_REFUSED",
      `${from.origin} redirects a request with credentials to ${to.origin}, which is not encrypted`,
    );
  }
}

function isCredential({ secret }: Leg, name: string): boolean {
  return CREDENTIALS.has(name) || secret.headers.has(name);
}

function without(headers: Leg["headers"], unwanted: (name: string) => boolean): Leg["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !unwanted(name)));
}
