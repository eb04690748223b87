import { type Finding, fail, ok, unreachable } from "../../model/finding.ts";
import { type Answer, judgeNoAnswer } from "./answer.ts";

/** What asking a part of Aloha told. */
export type AlohaFacts =
  | { readonly kind: "alive" }
  | { readonly kind: "unreachable" | "silent" | "foreign"; readonly reason: string };

/** A part of Aloha, and what the machine says about it. */
export interface AlohaPart {
  /** `Aloha's server` */
  readonly what: string;
  readonly url: string;
  /** The name of the setting with the URL. */
  readonly setting: string;
  /** What Aloha answers, such as `GET / with 200`. */
  readonly proof: string;
  readonly port: number;
  /** How it is started. */
  readonly start: string;
  /** Undefined: that is not known. */
  readonly isListening: boolean | undefined;
  /** Sets the firewall right; undefined: it is. */
  readonly firewall: string | undefined;
}

/** Asked by the way that jobs take; what the machine itself says only decides about the remedy. */
export function judgeAloha(answer: Answer<AlohaFacts>, part: AlohaPart): Finding {
  if (answer.kind !== "said") return judgeNoAnswer(answer, remedyOf(part));
  const facts = { url: part.url };
  const { value } = answer;
  switch (value.kind) {
    case "alive":
      return ok(`${part.url} answers ${part.proof}`, facts);
    case "foreign":
      return fail(
        `${part.url}: ${value.reason}`,
        `correct ${part.setting}, or end what else stands there (a proxy, another program)`,
        facts,
      );
    case "silent":
      return unreachable(
        `${part.url} took the connection and gave no answer: ${value.reason}`,
        `it hangs, or a forward leads nowhere: ${remedyOf(part)}`,
        facts,
      );
    case "unreachable":
      return unreachable(`${part.url}: ${value.reason}`, remedyOf(part), facts);
  }
}

function remedyOf({ what, port, start, setting, isListening, firewall }: AlohaPart): string {
  if (isListening === false) return `nobody listens on port ${port} of the machine: ${start}`;
  if (isListening === undefined) return `look whether ${what} runs (${start}), and at ${setting}`;
  const way = `it listens on the machine: look at ${setting} and the forward of its port`;
  return firewall === undefined ? way : `${way}, and let it in with \`${firewall}\``;
}
