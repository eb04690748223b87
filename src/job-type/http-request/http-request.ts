import { z } from "zod";
import { defineJob } from "../../job/definition.ts";
import { secretText } from "../../job/secret.ts";
import { Count, Sha256, webUrl } from "../fields.ts";
import { headerNameProblem, headerValueProblem } from "./header-rules.ts";
import { isRepeatable } from "./is-repeatable.ts";
import { markSecrets } from "./secret-mark.ts";

/** What `http.request` can send. */
export const HTTP_METHODS = ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS"] as const;

const Url = webUrl({
  noSecret: "a URL shows in logs and in the result; give secrets in headers or body",
  onlyWeb: "are possible",
  credentials: "; send an authorization header from a $secret",
});

const Headers = z.record(z.string(), secretText()).superRefine((headers, check) => {
  const seen = new Set<string>();
  for (const name of Object.keys(headers)) {
    const value: unknown = headers[name];
    const message =
      headerNameProblem(name, seen) ?? (typeof value === "string" ? headerValueProblem(value) : undefined);
    if (message !== undefined) check.addIssue({ code: "custom", path: [name], message });
    seen.add(name.toLowerCase());
  }
});

const Status = z.int().min(200).max(599);

const Input = z
  .strictObject({
    method: z
      .enum(HTTP_METHODS)
      .default("GET")
      .describe("The HTTP method. After a crash of the worker all but POST and PATCH are sent again."),
    url: Url.describe(
      "Where to send it: http or https, without user name and password. Addresses of this machine and of private networks are refused unless http_request.allow lists them. Proxy settings of the environment (HTTP_PROXY and the like) are not used.",
    ),
    headers: Headers.optional().describe(
      'Request headers; a value may be {"$secret": "NAME"}. Secrets, Authorization and Cookie are not sent on to another origin.',
    ),
    body: secretText()
      .optional()
      .describe(
        'The request body, sent as UTF-8; may be {"$secret": "NAME"}. Say its content-type in headers. Not with GET or HEAD.',
      ),
    expect_status: z
      .union([Status, z.array(Status).min(1)])
      .optional()
      .describe(
        "The status, or statuses, that mean success; default any 2xx. A redirect status given here is the answer and is not followed.",
      ),
    redirects: z
      .int()
      .min(0)
      .max(20)
      .default(5)
      .describe("How many redirects to follow, 0 to 20. The one after the last is the answer."),
  })
  .refine(({ method, body }) => body === undefined || (method !== "GET" && method !== "HEAD"), {
    path: ["body"],
    error: "a GET or HEAD request has no body",
  })
  .overwrite(markSecrets);

const Result = z.strictObject({
  status: z.int().describe("The status of the last answer."),
  headers: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .describe("Its headers, names in lower case; set-cookie is a list, other repeated ones are joined by a comma."),
  body_sha256: Sha256.describe("SHA-256 of its body as received, in hexadecimal."),
  bytes: Count.describe("Length of its body in bytes."),
  final_url: z.string().describe("The URL that gave it, after redirects."),
});

/** The input of `http.request` as its handler receives it: secrets are texts by then. */
export type HttpRequestInput = z.output<typeof Input>;

/** The result of `http.request`. */
export type HttpRequestResult = z.output<typeof Result>;

/**
 * One HTTP request. It completes when the answer has an expected status; the answer is kept as `http/response.json` and
 * `http/body` whatever its status.
 *
 * Tried again: what failed before anything was sent, and for GET, HEAD, PUT, DELETE and OPTIONS also 429, 502, 503, 504
 * and cut connections. A POST or PATCH that may have been received is never sent twice, by a retry or after a crash.
 */
export const httpRequest = defineJob({
  name: "http.request",
  input: Input,
  result: Result,
  afterCrash: {
    field: "method",
    cases: {
      GET: "rerun",
      HEAD: "rerun",
      PUT: "rerun",
      DELETE: "rerun",
      OPTIONS: "rerun",
      POST: "stop",
      PATCH: "stop",
    },
    otherwise: "stop",
  },
  retryable: isRepeatable,
});
