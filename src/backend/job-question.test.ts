import { expect, test } from "vitest";
import { approvalOf } from "../../test/support/approvals.ts";
import { asAsked, dueLater, jobQuestion, standsFor } from "./job-question.ts";
import type { AskedJob } from "./serving.ts";

const job: AskedJob = {
  actor: { kind: "agent", name: "codex", via: "mcp" },
  operation: "jobs.enqueue",
  type: "windows.exec",
  input: { host: "lab1", command: "hostname", secret: "resolved" },
  given: { command: "hostname", secret: { $secret: "NAME" } },
  labels: { site: "lab" },
  afterCrash: "stop",
  retryOnExit: false,
};

/** An approval as it was asked for with this question. */
const asked = (question: ReturnType<typeof jobQuestion>) =>
  approvalOf({ subject: { ...approvalOf().subject, ...question } });

test("shows the input as it was given, secrets by name, and the host that its type adds", () => {
  expect(jobQuestion(job)).toEqual({
    title: "windows.exec for agent:codex: hostname",
    details: {
      operation: "jobs.enqueue",
      type: "windows.exec",
      input: { command: "hostname", secret: { $secret: "NAME" } },
      labels: { site: "lab" },
      after_crash: "stop",
      host: "lab1",
    },
  });
});

test("says that a program may be run again, after a crash or when it fails", () => {
  const { details } = jobQuestion({ ...job, afterCrash: "rerun", retryOnExit: true });
  expect(details).toMatchObject({ after_crash: "rerun", retry_on: "exit" });
});

test("of an input that nobody would read it has the digest", () => {
  const { details } = jobQuestion({ ...job, given: { script: "x".repeat(300_000) } });
  expect(details).toMatchObject({ input_sha256: expect.stringMatching(/^[0-9a-f]{64}$/), input_characters: 300_013 });
  expect(details).not.toHaveProperty("input");
  expect(standsFor(details, { script: "x".repeat(300_000) })).toBe(true);
  expect(standsFor(details, { script: "y".repeat(300_000) })).toBe(false);
  expect(standsFor(jobQuestion(job).details, job.given)).toBe(false);
});

test("is the same for who asked without knowing the host, and for a job that was due later", () => {
  const known = jobQuestion(job);
  const unknown = jobQuestion({ ...job, input: { command: "hostname" } });
  expect(asAsked(known, asked(unknown), 5)).toEqual(unknown);
  expect(asAsked(known, asked(known), 5)).toEqual(known);
  const later = dueLater(known, 86_400_000, 0);
  expect(later.details).toMatchObject({ due_at: "1970-01-02T00:00:00.000Z" });
  expect(asAsked(known, asked(later), 86_400_000)).toEqual(later);
  expect(asAsked(known, asked(later), 5)).not.toEqual(later);
  expect(dueLater(known, 5, 5)).toEqual(known);
});

test.each<[given: unknown, rest: string]>([
  [{ argv: ["git", "push", "a b"] }, ": git push a b"],
  [{ argv: ["curl", { $secret: "TOKEN" }] }, ": curl …"],
  [{ command: "dir\r\n\u001b[2Jdel" }, ": dir [2Jdel"],
  [{ url: "https://example.com/" }, ": https://example.com/"],
  [{ command: { $secret: "NAME" } }, ": …"],
  [{ task: "look" }, ""],
  ["text", ""],
  [null, ""],
])("the title of %j ends with %j", (given, rest) => {
  expect(jobQuestion({ ...job, given }).title).toBe(`windows.exec for agent:codex${rest}`);
});

test("a title has an end", () => {
  const { title } = jobQuestion({ ...job, given: { command: "x".repeat(500) } });
  expect(title).toMatch(/^windows\.exec for agent:codex: x+…$/);
  expect(title).toHaveLength(120);
});
