import { type Facts, type Finding, notConfigured, ok, unreachable, warn } from "../../model/finding.ts";
import { type Answer, ASK_AGAIN, judgeNoAnswer } from "./answer.ts";

/** Who listens on a port of the machine. */
export interface PortFacts {
  readonly is_listening: boolean;
  readonly listeners: readonly { readonly address: string; readonly pid: number; readonly name: string }[];
}

/** A port with what was said of it. */
export interface AskedPort {
  readonly port: number;
  /** What should listen there: `Aloha's server`. */
  readonly what: string;
  /** The image that it must be; undefined: any. */
  readonly image?: string;
  /** It was reached by the way that jobs take. */
  readonly isReached: boolean;
  /** How it comes to listen. */
  readonly remedy: string;
  readonly answer: Answer<PortFacts>;
}

/** The ports of the machine. One that nobody listens on is no matter where what it is for answers elsewhere. */
export function judgePorts(asked: readonly AskedPort[]): Finding {
  if (asked.length === 0) return notConfigured("nothing that is configured listens on a port");
  const silent = asked.find(({ answer }) => answer.kind !== "said");
  if (silent !== undefined && silent.answer.kind !== "said") return judgeNoAnswer(silent.answer, ASK_AGAIN);
  const detail = asked.map(sayPort).join(", ");
  const facts: Facts = Object.fromEntries(asked.map((one) => [`port_${one.port}`, imagesOf(one)]));
  const free = asked.filter((one) => imagesOf(one) === null);
  const strange = asked.filter((one) => imagesOf(one) !== null && isStrange(one));
  const remedies = [
    ...free.map(({ remedy, what, isReached }) =>
      isReached ? `nothing, where ${what} is meant to be elsewhere; else ${remedy}` : remedy,
    ),
    ...strange.map(({ port, image }) => `end what holds port ${port}, or give ${image} another one`),
  ];
  if (remedies.length === 0) return ok(detail, facts);
  const isDown = free.some(({ isReached }) => !isReached) || strange.some(({ isReached }) => !isReached);
  return isDown ? unreachable(detail, remedies.join("; "), facts) : warn(detail, remedies.join("; "), facts);
}

/** True: something listens; undefined: that is not known. */
export function isListening({ answer }: Pick<AskedPort, "answer">): boolean | undefined {
  return answer.kind === "said" ? answer.value.is_listening : undefined;
}

function listenersOf({ answer }: AskedPort): PortFacts["listeners"] {
  return answer.kind === "said" ? answer.value.listeners : [];
}

function imagesOf(asked: AskedPort): string | null {
  const names = [...new Set(listenersOf(asked).map(({ name }) => name))];
  return names.length === 0 ? null : names.join(",");
}

function isStrange(asked: AskedPort): boolean {
  const { image } = asked;
  return image !== undefined && listenersOf(asked).every(({ name }) => name.toLowerCase() !== image);
}

function sayPort(asked: AskedPort): string {
  const who = listenersOf(asked).map(({ name, pid, address }) => `${name} (process ${pid}) at ${address}`);
  if (who.length > 0) return `${asked.port}: ${[...new Set(who)].join(" and ")}`;
  const elsewhere = asked.isReached ? `, and ${asked.what} answers elsewhere` : ` for ${asked.what}`;
  return `${asked.port}: nobody listens${elsewhere}`;
}
