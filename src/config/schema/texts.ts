import { passwordsOf } from "./mask.ts";
import { type Facts, type Place, refuse, type Setting, setting } from "./setting.ts";

/** What a text must look like, and how to say so. */
export interface TextRule {
  readonly pattern: { test(text: string): boolean };
  readonly rule: string;
}

/** A text of one line. With `default: undefined` the setting may be absent. */
export function text<const D extends string | undefined>(
  facts: Facts & { readonly default: D } & Partial<TextRule>,
): Setting<string | D, ""> {
  const { pattern = /^[^\p{Cc}]*$/u, rule = "a text of one line" } = facts;
  return setting<string | D, "">(facts, {
    default: facts.default,
    rule,
    unit: "",
    takesEmpty: facts.default !== undefined && pattern.test(""),
    ...(facts.secret === true ? { refuseInFile: refuseLiteral } : {}),
    parse: (value, place) => readText(value, place, { pattern, rule }),
    format: (value) => value ?? "",
  });
}

/** One of a few words. */
export function choice<const Word extends string, const D extends Word | undefined>(
  facts: Facts & { readonly default: D; readonly words: readonly Word[] },
): Setting<Word | D, ""> {
  const rule = facts.words.map((word) => word || '""').join(", ");
  return setting<Word | D, "">(facts, {
    default: facts.default,
    rule,
    unit: "",
    takesEmpty: facts.words.some((word) => word === ""),
    parse: (value, place) =>
      facts.words.find((word) => word === value) ?? refuse(place, `must be one of ${rule}`, value),
    format: (value) => value ?? "",
  });
}

/** An http(s) URL without a trailing slash; `cut` is a suffix that is taken off too. */
export function httpUrl(
  facts: Facts & { readonly default: string; readonly cut?: string; readonly orEmpty?: true },
): Setting<string, ""> {
  const { cut, orEmpty = false } = facts;
  const rule = `an http(s) URL${orEmpty ? ', or ""' : ""}`;
  return setting<string, "">(facts, {
    default: facts.default,
    rule,
    unit: "",
    takesEmpty: orEmpty,
    refuseInFile: refusePassword,
    parse: (value, place) => {
      if (orEmpty && value === "") return "";
      if (typeof value !== "string" || !isUrl(value, ["http:", "https:"])) {
        return refuse(place, `must be ${rule}, such as http://127.0.0.1:7887`, value);
      }
      const trimmed = trimSlashes(value);
      return cut !== undefined && trimmed.endsWith(cut) ? trimSlashes(trimmed.slice(0, -cut.length)) : trimmed;
    },
    format: String,
  });
}

/** A PostgreSQL URL that names a database. */
export function postgresUrl(facts: Facts): Setting<string | undefined, ""> {
  return setting<string | undefined, "">(facts, {
    default: undefined,
    rule: "postgres://…/windlass, its password only from the environment",
    unit: "",
    refuseInFile: refusePassword,
    parse: (value, place) => {
      const trimmed = typeof value === "string" ? trimSlashes(value) : "";
      if (isUrl(trimmed, ["postgres:", "postgresql:"]) && new URL(trimmed).pathname.length > 1) return trimmed;
      return refuse(place, "must be a URL that names a database, such as postgres://localhost/windlass", value);
    },
    format: (value) => value ?? "",
  });
}

const ADDRESS = /^(?:\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/i;

/** `host:port`. A port of 0 (any free one) only where the program listens. */
export function address(facts: Facts & { readonly default: string; readonly portMin: 0 | 1 }): Setting<string, ""> {
  return setting<string, "">(facts, {
    default: facts.default,
    rule: `host:port, ${facts.portMin} to 65535`,
    unit: "",
    parse: (value, place) => {
      const port = Number((typeof value === "string" ? ADDRESS.exec(value) : undefined)?.[1]);
      if (typeof value === "string" && port >= facts.portMin && port <= 65_535) return value;
      return refuse(place, `must be host:port with a port from ${facts.portMin} to 65535`, value);
    },
    format: String,
  });
}

/** Reads one text and holds it against its rule. */
export function readText(value: unknown, place: Place, { pattern, rule }: TextRule): string {
  const plain = typeof value === "number" && Number.isFinite(value) ? String(value) : value;
  return typeof plain === "string" && pattern.test(plain) ? plain : refuse(place, `must be ${rule}`, value);
}

function refuseLiteral(raw: unknown): string | undefined {
  return isReference(raw) ? undefined : `must be written as exactly \${NAME} in a file; a literal secret is refused`;
}

function refusePassword(raw: unknown): string | undefined {
  const literal = typeof raw === "string" && passwordsOf(raw).some((password) => !isReference(password));
  return literal ? `holds a password, which a file may give only as \${NAME}` : undefined;
}

function isReference(raw: unknown): boolean {
  return typeof raw === "string" && /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(raw);
}

function isUrl(value: string, protocols: readonly string[]): boolean {
  return !/\s/.test(value) && URL.canParse(value) && protocols.includes(new URL(value).protocol);
}

function trimSlashes(value: string): string {
  return value.replace(/\/+$/, "");
}
