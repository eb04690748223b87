import { AppError } from "../error.ts";

/** One of the five fields of a cron line, as far as it differs from the others. */
interface FieldRule {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** How many different values there are; also the largest step. */
  readonly span: number;
  /** Three-letter names, the first one for `firstName`. */
  readonly names: readonly string[];
  readonly firstName: number;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const rule = (name: string, min: number, max: number, names: readonly string[] = []): FieldRule => ({
  name,
  min,
  max,
  span: name === "day-of-week" ? 7 : max - min + 1,
  names,
  firstName: min,
});

const FIELDS: readonly FieldRule[] = [
  rule("minute", 0, 59),
  rule("hour", 0, 23),
  rule("day-of-month", 1, 31),
  rule("month", 1, 12, MONTHS),
  rule("day-of-week", 0, 7, DAYS), // 0 and 7 are both Sunday, so that MON-SUN is a range.
];

/** What was read from one field: plain numbers for croner, and the values it stands for. */
export interface Field {
  /** The field with its names written as numbers. */
  readonly text: string;
  readonly values: ReadonlySet<number>;
  /** True where the field holds a star or a step: "every so often" rather than "at this time". */
  readonly repeating: boolean;
}

/** The five fields of a cron line, in its order. */
export interface Fields {
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  readonly month: Field;
  readonly dayOfWeek: Field;
}

/**
 * Reads the five fields of a cron line: stars, numbers, names of months and days, ranges `a-b`, steps over a star or a range, lists with
 * commas. Everything else (seconds, `L`, `W`, `#`, `?`, `@daily`) is refused, because a line that another cron reads in
 * another way is worse than an error.
 *
 * @throws AppError `INVALID_CRON` naming the line, the field and the value.
 */
export function parseFields(expression: string): Fields {
  const texts = expression.split(/\s+/).filter((text) => text !== "");
  if (texts.length !== FIELDS.length) {
    refuse(
      expression,
      `has ${texts.length === 1 ? "1 field" : `${texts.length} fields`}; write 5: minute hour day-of-month month day-of-week, such as "30 2 * * *"`,
    );
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek] = FIELDS.map((field, index) =>
    parseField(expression, field, texts[index] ?? ""),
  );
  if (!minute || !hour || !dayOfMonth || !month || !dayOfWeek) return refuse(expression, "has too few fields");
  return { minute, hour, dayOfMonth, month, dayOfWeek };
}

/** Throws `INVALID_CRON` with the line in front of the reason. */
export function refuse(expression: string, reason: string): never {
  throw new AppError("INVALID_CRON", `cron ${JSON.stringify(expression)}: ${reason}`);
}

function parseField(expression: string, field: FieldRule, text: string): Field {
  const items = text.split(",").map((item) => parseItem(expression, field, item));
  return {
    text: items.map((item) => item.text).join(","),
    values: new Set(items.flatMap((item) => item.values)),
    repeating: /[*/]/.test(text),
  };
}

const ITEM = /^(?:(\*)|([0-9]+|[a-z]{3})(?:-([0-9]+|[a-z]{3}))?)(?:\/([0-9]+))?$/i;

function parseItem(expression: string, field: FieldRule, item: string): { text: string; values: number[] } {
  const fail = (reason: string): never => refuse(expression, `${field.name} ${reason}`);
  const match = ITEM.exec(item);
  if (match === null)
    return fail(
      `${JSON.stringify(item)} is not understood; a field takes *, a number, a range a-b, a step */n or a-b/n, and lists of these with commas`,
    );
  const [, star, first, last, stepText] = match;
  const low = star ? field.min : parseValue(field, first ?? "", fail);
  const high = star ? field.max : parseValue(field, last ?? first ?? "", fail, last !== undefined);
  if (low > high) fail(`range ${item} runs backwards; write ${low}-${field.max},${field.min}-${high}`);
  if (stepText !== undefined && !star && last === undefined)
    fail(`${JSON.stringify(item)} has a step without a range; write ${low}-${field.max}/${stepText}`);
  const step = Number(stepText ?? 1);
  if (step < 1 || step > field.span) fail(`step ${stepText} is out of range 1-${field.span}`);
  const values: number[] = [];
  for (let value = low; value <= high; value += step) values.push(value);
  const range = star ?? (last === undefined ? `${low}` : `${low}-${high}`);
  return { text: stepText === undefined ? range : `${range}/${step}`, values };
}

function parseValue(field: FieldRule, text: string, fail: (reason: string) => never, asEnd = false): number {
  if (/^[0-9]+$/.test(text)) {
    const value = Number(text);
    return value >= field.min && value <= field.max ? value : fail(`${text} is out of range ${field.min}-${field.max}`);
  }
  const index = field.names.indexOf(text.toUpperCase());
  if (index < 0)
    return fail(
      `${JSON.stringify(text)} is not a number${field.names.length > 0 ? ` or one of ${field.names.join(" ")}` : ""}`,
    );
  // A range that ends on Sunday goes up to it: SAT-SUN is 6-7.
  return asEnd && index === 0 && field.max === 7 ? 7 : index + field.firstName;
}
