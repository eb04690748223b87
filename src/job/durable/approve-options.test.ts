import { expect, test } from "vitest";
import { type ApproveOptions, readApproveOptions } from "./approve-options.ts";

const circle: { self?: unknown } = {};
circle.self = circle;

test.each<[string, unknown]>([
  ["holds itself", circle],
  ["is a big number", { count: 1n }],
  ["is code", () => 1],
  ["is a symbol", Symbol("a")],
  ["is deeper than anybody reads", JSON.parse(`${"[".repeat(30_000)}${"]".repeat(30_000)}`)],
  [
    "cannot write itself",
    {
      toJSON: () => {
        throw new TypeError("no");
      },
    },
  ],
])("nobody is asked about what JSON cannot hold: it %s", (_, details) => {
  expect(() => readApproveOptions({ title: "a", details })).toThrow(
    expect.objectContaining({
      code: "INVALID_INPUT",
      message: expect.stringMatching(/^approve: the value of details /),
    }),
  );
});

test("what is no list of approvers, or no options at all, is refused by a code", () => {
  for (const given of [undefined, null, { title: "a", approvers: 5 }, { title: "a", approvers: "anna" }])
    expect(() => readApproveOptions(given as unknown as ApproveOptions)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
});

test("details are shown as JSON writes them", () => {
  const details = { b: new Date(0), a: [undefined, -0], gone: undefined, text: "\ud800" };
  expect(readApproveOptions({ title: "a", details }).details).toEqual({
    a: [null, 0],
    b: "1970-01-01T00:00:00.000Z",
    text: "\ud800",
  });
});
