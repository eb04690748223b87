import { AppError } from "../error.ts";
import { hintFor } from "./nearest.ts";

/** What a field holds: anything, a block of these fields (or a text), a list, or a list of such blocks. */
export type FieldShape =
  | "any"
  | "list"
  | { readonly block: readonly string[]; readonly list?: true; readonly text?: true };

/** Every field of a definition; `defineJob` says to the compiler that none is missing. */
export const DEFINITION_FIELDS = {
  name: "any",
  version: "any",
  input: "any",
  result: "any",
  timeout: { block: ["default", "max"] },
  deadline: "any",
  retries: "any",
  backoff: { block: ["first", "factor", "cap", "jitter"] },
  retryable: "any",
  afterCrash: "any",
  concurrency: { block: ["key", "limit", "strategy"], list: true },
  locks: "list",
  rateLimit: { block: ["key", "units", "per"] },
  idempotency: { block: ["window"] },
  requires: "any",
  secrets: "list",
  cron: { block: ["expression", "timeZone"], text: true },
  priority: "any",
  queuedMax: "any",
  afterCrashByCaller: "any",
  retryOnExit: "any",
  recordsEffects: "any",
  traceId: "any",
  run: "any",
  check: "any",
} as const satisfies Readonly<Record<string, FieldShape>>;

const SHAPES: Readonly<Record<string, FieldShape>> = DEFINITION_FIELDS;

/**
 * Refuses fields that a definition does not have, and blocks and lists that are none. Types alone do not hold these: Node
 * runs a user's TypeScript without checking it, and a limit that is passed over is worse than none.
 *
 * @param without fields that this kind of job does not have.
 * @throws AppError `INVALID_DEFINITION`.
 */
export function checkFields(definition: object & { readonly name: string }, without: readonly string[] = []): void {
  const known = Object.keys(SHAPES).filter((field) => !without.includes(field));
  const fail: Fail = (reason) => {
    throw new AppError("INVALID_DEFINITION", `job type ${definition.name}: ${reason}`);
  };
  refuseUnknown(Object.keys(definition), known, fail);
  for (const [field, value] of Object.entries(definition) as readonly [string, unknown][]) {
    const shape = SHAPES[field] ?? "any";
    if (value !== undefined && shape !== "any") checkShape(field, shape, value, fail);
  }
}

type Fail = (reason: string) => never;

function checkShape(field: string, shape: Exclude<FieldShape, "any">, value: unknown, fail: Fail): void {
  const list = shape === "list" || shape.list === true;
  if (list && !Array.isArray(value)) fail(`${field} must be a list`);
  if (shape === "list" || (shape.text === true && typeof value === "string")) return;
  for (const block of list ? (value as readonly unknown[]) : [value]) {
    if (isBlock(block)) refuseUnknown(Object.keys(block), shape.block, (reason) => fail(`${field} ${reason}`));
    else fail(`${field} is ${JSON.stringify(block)}; it must be a block of ${shape.block.join(", ")}`);
  }
}

function isBlock(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuseUnknown(fields: readonly string[], known: readonly string[], fail: Fail): void {
  const unknown = fields.find((field) => !known.includes(field));
  if (unknown !== undefined) fail(`has no field ${unknown}; ${hintFor(unknown, known)}`);
}
