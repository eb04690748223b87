import { AppError } from "../../error.ts";
import type { HttpRequestInput } from "./http-request.ts";
import type { KeptBody } from "./keep-answer.ts";

/** True when a status is what the job expects: one of those that it lists, or any 2xx. */
export function isExpected(status: number, expected: HttpRequestInput["expect_status"]): boolean {
  return expected === undefined ? status >= 200 && status <= 299 : [expected].flat().includes(status);
}

/** The answer that ended the chain. */
export interface LastAnswer {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly redirects: number;
  readonly body: KeptBody;
}

/**
 * Throws when the answer is not what was asked for. The status is looked at first: a long page of a proxy's 502 is a 502.
 *
 * @throws AppError `UNEXPECTED_STATUS`; `TOO_LARGE` when the body was cut; `HOST_UNREACHABLE` when the connection was.
 */
export function judgeAnswer(answer: LastAnswer, expected: HttpRequestInput["expect_status"]): void {
  const { method, url, status, redirects, body } = answer;
  const subject = `${method} ${url.origin}${url.pathname}`;
  if (!isExpected(status, expected)) {
    const wanted = expected === undefined ? "2xx" : [expected].flat().join(" or ");
    const after = redirects === 0 ? "" : ` after ${redirects} redirect${redirects === 1 ? "" : "s"}`;
    throw new AppError(
      "UNEXPECTED_STATUS",
      `${subject} answered ${status}${after}; expected ${wanted}; the answer is kept as http/body`,
      { details: { status } },
    );
  }
  if (body.end === "limit") {
    throw new AppError(
      "TOO_LARGE",
      `${subject}: the answer is longer than ${body.bytes} bytes (http_request.body_bytes); http/body is cut there`,
      { details: { status, limit_bytes: body.bytes } },
    );
  }
  if (body.end === "cut") {
    throw new AppError(
      "HOST_UNREACHABLE",
      `${subject}: the connection ended in the middle of the answer, after ${body.bytes} bytes (${body.reason ?? "closed"})`,
      { details: { status } },
    );
  }
}
