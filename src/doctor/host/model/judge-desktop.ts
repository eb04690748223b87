import { type DesktopSession, decideDesktop } from "../../../host/aloha/model/decide-desktop.ts";
import { type Facts, type Finding, fail, ok } from "../../model/finding.ts";
import { type Answer, ASK_AGAIN, judgeNoAnswer } from "./answer.ts";

/** A session with its owner. */
export interface NamedSession extends DesktopSession {
  readonly id: number;
  readonly user: string;
}

/** The desktop that Aloha acts on. Without Aloha nothing here needs one, and it is only told. */
export function judgeDesktop(answer: Answer<readonly NamedSession[]>, hasAloha: boolean): Finding {
  if (answer.kind !== "said") return judgeNoAnswer(answer, ASK_AGAIN);
  const sessions = answer.value;
  const { word, detail, remedy } = describe(sessions);
  const facts: Facts = { desktop: word, sessions: sessions.length };
  if (remedy === null) return ok(detail, facts);
  return hasAloha ? fail(detail, remedy, facts) : ok(`${detail}, and nothing that is configured needs it`, facts);
}

interface Description {
  readonly word: "unlocked" | "locked" | "disconnected" | "none";
  readonly detail: string;
  readonly remedy: string | null;
}

const UNATTENDED = "for a machine at which nobody sits: automatic logon, and no lock of the screen";

function describe(sessions: readonly NamedSession[]): Description {
  const [first] = sessions;
  if (first === undefined)
    return { word: "none", detail: "nobody is logged on at the desktop", remedy: `log on there; ${UNATTENDED}` };
  switch (decideDesktop(sessions).kind) {
    case "unlocked": {
      const usable = sessions.find(({ is_connected, is_locked }) => is_connected !== false && !is_locked) ?? first;
      return { word: "unlocked", detail: `${say(usable)} is active and not locked`, remedy: null };
    }
    case "locked": {
      const locked = sessions.find(({ is_connected }) => is_connected !== false) ?? first;
      return { word: "locked", detail: `the desktop is locked: ${say(locked)}`, remedy: `unlock it; ${UNATTENDED}` };
    }
    case "absent":
      return {
        word: "disconnected",
        detail: `${say(first)} is disconnected: its programs live and its picture is black`,
        remedy: `connect to it, or \`tscon ${first.id} /dest:console\` there as SYSTEM or an administrator`,
      };
  }
}

function say({ id, user }: NamedSession): string {
  return `session ${id} of ${user}`;
}
