import type { EffectContext } from "../../attempt/handlers.ts";
import { onAbort } from "../../clock.ts";
import { AppError } from "../../error.ts";
import { type AnswerHead, exchange } from "./exchange.ts";
import { explainFailure } from "./explain-failure.ts";
import { headerValueProblem } from "./header-rules.ts";
import type { HttpRequestInput, HttpRequestResult } from "./http-request.ts";
import { isExpected, judgeAnswer } from "./judge-answer.ts";
import { answerHeaders, type KeptBody, keepBody, keepRecord, type RedirectRecord } from "./keep-answer.ts";
import { type OpenSocket, openSocket, type Reach } from "./open-socket.ts";
import { followRedirect, type Leg } from "./redirect.ts";
import { secretOrigin } from "./secret-mark.ts";

/** What a chain is made with, beside its input. */
export interface ChainTools {
  readonly reach: Reach;
  readonly bodyBytes: number;
}

/** An answer, and how it was come by. */
interface Answer extends AnswerHead {
  readonly leg: Leg;
  readonly status: number;
  readonly open: OpenSocket;
  readonly firstByteMs: number;
}

/** One attempt: a request and the redirects that it meets. It knows how far it came, for when it fails on the way. */
export class RequestChain {
  readonly #input: HttpRequestInput;
  readonly #ctx: EffectContext;
  readonly #tools: ChainTools;
  readonly #startedAt: string;
  readonly #startMs: number;
  readonly #redirects: RedirectRecord[] = [];
  #sent = false;
  /** The last answer, as long as it is not kept. */
  #unkept: Answer | undefined;

  constructor(input: HttpRequestInput, ctx: EffectContext, tools: ChainTools) {
    this.#input = input;
    this.#ctx = ctx;
    this.#tools = tools;
    this.#startedAt = new Date(tools.reach.clock.now()).toISOString();
    this.#startMs = tools.reach.clock.monotonic();
  }

  /**
   * Makes the requests and keeps the answer.
   *
   * @throws AppError whose `details.repeatable` says whether another attempt may do the same again.
   */
  async run(): Promise<HttpRequestResult> {
    try {
      return await this.#follow(firstLeg(this.#input));
    } catch (error) {
      await this.#keepUnkept();
      const { signal } = this.#ctx;
      throw explainFailure(error, { method: this.#input.method, sent: this.#sent, signal });
    }
  }

  async #follow(first: Leg): Promise<HttpRequestResult> {
    let leg = first;
    for (;;) {
      const open = await openSocket(leg.url, this.#tools.reach, this.#ctx.signal);
      // Ends with this turn of the loop: a redirect's body is never read, and no connection is used twice.
      using _connection = { [Symbol.dispose]: () => void open.socket.destroy() };
      using _stop = onAbort(this.#ctx.signal, () => void open.socket.destroy());
      this.#sent = true;
      const sentMs = this.#nowMs();
      const head = await exchange(open.socket, leg);
      const status = head.message.statusCode ?? 0;
      const answer = { ...head, leg, status, open, firstByteMs: this.#nowMs() - sentMs };
      this.#unkept = answer;
      const next = this.#nextLeg(answer);
      if (next === undefined) return await this.#finish(answer);
      leg = next;
    }
  }

  #nextLeg({ leg, message, status }: Answer): Leg | undefined {
    const { redirects, expect_status: expected } = this.#input;
    const isAsked = expected !== undefined && isExpected(status, expected);
    if (isAsked || this.#redirects.length >= redirects) return undefined;
    const next = followRedirect(leg, status, message.headers.location);
    if (next !== undefined) {
      this.#redirects.push({ method: leg.method, url: leg.url.href, status, location: next.url.href });
    }
    return next;
  }

  async #finish(answer: Answer): Promise<HttpRequestResult> {
    const { status, message } = answer;
    const { method, url } = answer.leg;
    const body = await keepBody(answer.body, this.#ctx.folder, this.#tools.bodyBytes);
    await this.#keep(answer, body);
    const redirects = this.#redirects.length;
    this.#ctx.log.info("answered", { status, bytes: body.bytes, redirects });
    judgeAnswer({ method, url, status, redirects, body }, this.#input.expect_status);
    const { sha256, bytes } = body;
    return { status, headers: answerHeaders(message), body_sha256: sha256, bytes, final_url: url.href };
  }

  /** The last answer before a failure is evidence too. */
  async #keepUnkept(): Promise<void> {
    if (this.#unkept === undefined) return;
    try {
      await this.#keep(this.#unkept, null);
    } catch (error) {
      // What brought us here says more than a full disk.
      this.#ctx.log.warn("http/response.json could not be written", { err: String(error) });
    }
  }

  async #keep({ leg, message, status, open, firstByteMs }: Answer, body: KeptBody | null): Promise<void> {
    this.#unkept = undefined;
    const record = {
      method: leg.method,
      url: new URL(this.#input.url).href,
      final_url: leg.url.href,
      address: open.address,
      status,
      headers: answerHeaders(message),
      redirects: this.#redirects,
      timings: {
        started_at: this.#startedAt,
        resolve_ms: rounded(open.resolveMs),
        connect_ms: rounded(open.connectMs),
        tls_ms: open.tlsMs === undefined ? null : rounded(open.tlsMs),
        first_byte_ms: rounded(firstByteMs),
        total_ms: rounded(this.#nowMs() - this.#startMs),
      },
    };
    await keepRecord(this.#ctx.folder, record, body);
  }

  #nowMs(): number {
    return this.#tools.reach.clock.monotonic();
  }
}

function firstLeg(input: HttpRequestInput): Leg {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    // The schema has looked at plain values; a secret is a text only now.
    const problem = headerValueProblem(value);
    if (problem !== undefined) throw new AppError("INVALID_INPUT", `headers.${name}: the value ${problem}`);
    headers[name.toLowerCase()] = value;
  }
  const { method, body } = input;
  const content = body === undefined ? {} : { body };
  return { method, url: new URL(input.url), headers, ...content, secret: secretOrigin(input) };
}

/** To a tenth of a millisecond; more digits are noise. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
