import { z } from "zod";
import { AppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import type { PublishedType } from "./reading.ts";

/**
 * A job type as data, for processes that have not loaded its code: the JSON Schema of its input and its rules.
 *
 * @throws AppError `INVALID_DEFINITION` when the input's schema has no JSON Schema.
 */
export function describeType(type: JobType): PublishedType {
  try {
    const inputSchema = z.toJSONSchema(type.input, { io: "input", unrepresentable: "any" }) as Readonly<
      Record<string, unknown>
    >;
    return { name: type.name, version: type.version, rules: type.rules, inputSchema };
  } catch (cause) {
    throw new AppError(
      "INVALID_DEFINITION",
      `job type ${type.name}: its input schema cannot be written as JSON Schema (${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    );
  }
}

/** Reads an input as far as a published schema can: shapes and ranges, but no code of the type's own. */
export function publishedInput(type: PublishedType): z.ZodType {
  return z.fromJSONSchema(type.inputSchema as Parameters<typeof z.fromJSONSchema>[0]);
}
