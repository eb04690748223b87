import { hostname } from "node:os";
import { osUser } from "../../host/local/os-user.ts";

const PRINCIPAL = /^[A-Za-z0-9][A-Za-z0-9@._+-]{0,127}$/;

/** What an approver is called who does not say it: as the comment of the key, else by account and machine. */
export function principalFor(comment: string): string {
  if (PRINCIPAL.test(comment)) return comment;
  const made = `${osUser()}@${hostname()}`.replace(/[^A-Za-z0-9@._+-]/g, "-").slice(0, 128);
  return PRINCIPAL.test(made) ? made : `approver-${made}`.slice(0, 128);
}
