import { describe, expect, test } from "vitest";
import { z } from "zod";
import { sayIssue } from "./say-issue.ts";

const Shape = z.strictObject({
  argv: z.array(z.string()).min(1),
  count: z.int().min(0).max(3).optional(),
  state: z.enum(["queued", "running"]).optional(),
  only: z.literal("exit").optional(),
  name: z.string().min(1).max(4).optional(),
  more: z.array(z.string()).min(2).max(2).optional(),
  env: z.record(z.string(), z.string()).optional(),
  yes: z.boolean().optional(),
  own: z.string().regex(/^x/, { error: "says it itself" }).optional(),
});

function say(value: unknown): readonly string[] {
  const { error } = Shape.safeParse(value, { error: sayIssue });
  return error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`) ?? [];
}

describe("what is wrong with a value is said in plain words", () => {
  test.each<[unknown, string]>([
    [{}, "argv is missing"],
    [{ argv: [] }, "argv must not be empty"],
    [{ argv: "x" }, "argv must be a list"],
    [{ argv: [1] }, "argv.0 must be a text"],
    [{ argv: ["x"], count: 4 }, "count must be at most 3"],
    [{ argv: ["x"], count: -1 }, "count must be at least 0"],
    [{ argv: ["x"], count: 1.5 }, "count must be a whole number"],
    [{ argv: ["x"], count: "many" }, "count must be a number"],
    [{ argv: ["x"], state: "done" }, "state must be one of queued, running"],
    [{ argv: ["x"], only: "all" }, "only must be exit"],
    [{ argv: ["x"], name: "" }, "name must not be empty"],
    [{ argv: ["x"], name: "12345" }, "name must have at most 4 characters"],
    [{ argv: ["x"], more: ["1"] }, "more must have at least 2 entries"],
    [{ argv: ["x"], env: { A: 1 } }, "env.A must be a text"],
    [{ argv: ["x"], env: 5 }, "env must be an object"],
    [{ argv: ["x"], yes: "yes" }, "yes must be true or false"],
    [{ argv: ["x"], own: "y" }, "own says it itself"],
    [{ argv: ["x"], cuont: 1 }, " has no field cuont; did you mean count?"],
    [
      { argv: ["x"], elephant: 1 },
      " has no field elephant; there are argv, count, state, only, name, more, env, yes, own",
    ],
    [null, " must be an object"],
    [undefined, " is missing"],
  ])("%j: %s", (value, sentence) => {
    expect(say(value)).toEqual([sentence]);
  });
});

test("a schema that came from a database speaks in the same words", () => {
  const schema = z.fromJSONSchema(z.toJSONSchema(Shape, { io: "input" }) as Parameters<typeof z.fromJSONSchema>[0]);
  const said = (value: unknown) =>
    schema.safeParse(value, { error: sayIssue }).error?.issues.map(({ path, message }) => `${path} ${message}`);
  expect(said({})).toEqual(["argv is missing"]);
  expect(said({ argv: ["x"], count: 9 })).toEqual(["count must be at most 3"]);
  expect(said({ argv: ["x"], cuont: 9 })).toEqual([" has no field cuont; did you mean count?"]);
});
