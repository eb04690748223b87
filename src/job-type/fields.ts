import { z } from "zod";
import { DEFAULT_HOST } from "../config/schema/hosts.ts";

/** The end of a text in C: what comes behind it would be cut off. */
const WITHOUT_NUL = /^[^\0]*$/;

/** What is wrong with a text that holds a NUL character. */
export const NUL_PROBLEM = "holds a NUL character, which no program can be given";

/** A length or a number of things. */
export const Count = z.int().min(0);

/** SHA-256 in lower-case hexadecimal. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A text. @param noSecret why a reference to a secret cannot stand for it, and what can. */
export function plainText(noSecret?: string): z.ZodString {
  return z.string({
    error: ({ input }) => {
      if (noSecret !== undefined && isReference(input)) return `takes no $secret, because ${noSecret}`;
      return input === undefined ? "is missing" : "is not a text";
    },
  });
}

/** A text that is handed to a program. */
export function programText(noSecret?: string): z.ZodString {
  return plainText(noSecret).regex(WITHOUT_NUL, { error: NUL_PROBLEM });
}

/** A PowerShell text that a job asks its machine by. */
export const PowerShellText = programText(
  "command lines show in process lists and event logs; let the script read it from a file of its own account",
).min(1, { error: "is empty" });

/** The Windows machine that a job acts on. */
export const HostName = plainText().min(1, { error: "is empty" }).default(DEFAULT_HOST);

/** The trace id as a field of the input, for callers who cannot give it beside. */
export const TraceId = plainText().min(1, { error: "is empty" }).optional();

/** What is special about the addresses of a job type. */
export interface WebUrlRules {
  readonly noSecret: string;
  /** Of other protocols: `are possible`. */
  readonly onlyWeb: string;
  /** What to do about a user name and a password. */
  readonly credentials?: string;
}

/** An address of the web: http or https, without user name and password. */
export function webUrl(rules: WebUrlRules): z.ZodString {
  return plainText(rules.noSecret).superRefine((text, check) => {
    const message = urlProblem(text, rules);
    if (message !== undefined) check.addIssue({ code: "custom", message });
  });
}

function urlProblem(text: string, { onlyWeb, credentials = "" }: WebUrlRules): string | undefined {
  const url = URL.parse(text);
  if (url === null) return "is not a URL; write one such as https://example.com/path";
  if (url.protocol !== "http:" && url.protocol !== "https:")
    return `begins with ${url.protocol}; only http: and https: ${onlyWeb}`;
  if (url.username !== "" || url.password !== "")
    return `holds a user name or a password, which would show${credentials}`;
  return undefined;
}

function isReference(input: unknown): boolean {
  return typeof input === "object" && input !== null && "$secret" in input;
}
