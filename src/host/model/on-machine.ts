// What Windlass and the programs that it drives are called on a Windows machine. An operator's firewall and documents know these
// names; the port that leads to one of them from here is a setting.

/** The folder of everything that is put there; `/` because sftp takes nothing else. */
export const MACHINE_FOLDER = "C:/ProgramData/win-automation";

/** A program that listens on the machine, and the firewall rule that lets its callers in. */
export interface Listener {
  readonly port: number;
  readonly rule: string;
}

/**
 * Who may come in by a rule that we make: the machine's own subnet, which is where the gateway of a port forward stands.
 * Neither Aloha nor a browser server asks who comes.
 */
export const RULE_SCOPE = "LocalSubnet";

/** Aloha's action server. */
export const ALOHA_SERVER: Listener = { port: 7_887, rule: "Aloha-7887" };

/** Aloha's client. */
export const ALOHA_CLIENT: Listener = { port: 7_888, rule: "Aloha-7888" };

/** The browser server, unless it was installed with another port. */
export const BROWSER_SERVER: Listener = { port: 9_323, rule: "Playwright-9323" };
