import { z } from "zod";
import { ACTOR_KINDS } from "../actor.ts";
import { isFixedProgram } from "../matching/programs.ts";
import { isTimeZone, WEEKDAYS } from "../matching/time-window.ts";

/** Said of a field, these follow its name. */
const NOT_EMPTY = { error: "must not be empty" };
const Text = z.string().min(1, NOT_EMPTY);
const Patterns = z.array(Text).min(1, NOT_EMPTY);

const KINDS = [...ACTOR_KINDS, "*"].join("|");
const ActorPatterns = z
  .array(
    z.string().regex(new RegExp(`^(\\*|(${KINDS.replace("*", "\\*")}):.+)$`, "su"), {
      error: `must be kind:name, such as agent:* or agent:codex; kinds are ${ACTOR_KINDS.join(", ")}`,
    }),
  )
  .min(1, NOT_EMPTY);

/** A star anywhere else would take in hosts of somebody else's: `*example.com` is `evil-example.com` too. */
const UrlHosts = z
  .array(
    z.string().regex(/^(\*|(\*\.)?[^*/:@\s\p{Lu}]+|\[[0-9a-f:.]+\])$/u, {
      error:
        "must be the name of a host in small letters, without scheme, port and path; a star only in front: *.example.com",
    }),
  )
  .min(1, NOT_EMPTY);

const Argv = z
  .array(z.string())
  .refine(([program = ""]) => program !== "", { error: "must begin with the name of a program" })
  .refine(([program = ""]) => isFixedProgram(program), {
    error: "must begin with a name that is looked up on PATH, or with an absolute path",
  });

const Command = Text.regex(/^\S(.*\S)?$/u, { error: "must be one line that neither begins nor ends with a space" });

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const When = z
  .strictObject({
    days: z.array(z.enum(WEEKDAYS)).min(1, NOT_EMPTY).optional(),
    from: z.string().regex(CLOCK, { error: 'must be a time such as "08:00"' }).optional(),
    to: z
      .string()
      .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: 'must be a time such as "18:00", at most "24:00"' })
      .optional(),
    zone: z.string().refine(isTimeZone, { error: "must be the name of a time zone, such as Europe/Berlin or UTC" }),
  })
  .refine(({ days, from, to }) => days !== undefined || from !== undefined || to !== undefined, {
    error: "must have days, from or to",
  })
  .refine(({ from = "00:00", to = "24:00" }) => from !== to, { path: ["to"], error: "must not be the same as from" });

const Principal = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9@._+-]{0,127}$/, { error: "must be a name such as ops@example.com" });

const Approval = z.strictObject({
  by: z.array(Principal).min(1, NOT_EMPTY),
  quorum: z.int().min(1).default(1),
  level: z.enum(["advisory", "enforced"]).default("advisory"),
  expires: Text.default("24h"),
});

const LIMIT = /^([1-9]\d{0,5})\/h$/;

/** A rule of a policy file. */
export const RuleEntry = z
  .strictObject({
    name: z.string().regex(/^(?!built-in\.)(?!no-match$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error: "must be 1 to 64 of A-Z a-z 0-9 . _ -, and neither no-match nor built-in.…",
    }),
    actors: ActorPatterns.optional(),
    access: z.enum(["read", "write"]).optional(),
    operations: Patterns.optional(),
    types: Patterns.optional(),
    hosts: Patterns.optional(),
    argv: Argv.optional(),
    command: Command.optional(),
    env: Patterns.optional(),
    url_hosts: UrlHosts.optional(),
    labels: z.record(Text, z.string()).optional(),
    when: When.optional(),
    allow: z.literal(true, { error: "must be true; to deny, write deny: true" }).optional(),
    deny: z.union([z.literal(true), Text], { error: "must be true, or the reason" }).optional(),
    approval: Approval.optional(),
    limit: z.string().regex(LIMIT, { error: "must be a number an hour, such as 100/h, at most 999999/h" }).optional(),
  })
  .superRefine(({ allow, deny, approval, argv, command, env, limit }, check) => {
    const effects = [allow, deny, approval].filter((effect) => effect !== undefined).length;
    const wrong = (message: string, ...path: string[]): void => check.addIssue({ code: "custom", path, message });
    if (effects !== 1) wrong("must have exactly one of allow: true, deny and approval");
    if (argv !== undefined && command !== undefined) wrong("must not stand beside argv: make two rules", "command");
    if (env !== undefined && (deny !== undefined || (argv ?? command) === undefined))
      wrong("goes only with argv or command in a rule that does not deny", "env");
    if (limit !== undefined && deny !== undefined) wrong("does not go with deny", "limit");
  });

const Approver = z.strictObject({
  principal: Principal,
  key: z.string().regex(/^(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( .*)?$/, {
    error: "must be an OpenSSH public key, such as sk-ssh-ed25519@openssh.com AAAA…",
  }),
  level: z.literal("enforced").optional(),
  until: z.iso.datetime({ offset: true, error: "must be a time such as 2027-01-01T00:00:00Z" }).optional(),
});

/** An example: a request, and what the policy must say to it. */
export const ExampleEntry = z.strictObject({
  actor: z.string().regex(new RegExp(`^(${ACTOR_KINDS.join("|")}):[^*?]+$`, "u"), {
    error: `must be kind:name without a star, such as agent:codex; kinds are ${ACTOR_KINDS.join(", ")}`,
  }),
  operation: Text.optional(),
  type: Text.optional(),
  host: Text.optional(),
  argv: z.array(z.string()).min(1, NOT_EMPTY).optional(),
  command: Text.optional(),
  url: z
    .string()
    .refine((url) => URL.canParse(url), { error: "must be a URL" })
    .optional(),
  input: z.record(z.string(), z.unknown()).optional(),
  labels: z.record(Text, z.string()).optional(),
  at: z.iso.datetime({ offset: true, error: "must be a time such as 2026-11-21T18:00:00Z" }).optional(),
  used: z.int().min(0).optional(),
  expect: z.enum(["allow", "deny", "needs-approval"]),
  rule: Text.optional(),
});

/** A whole policy file. */
export const PolicyFile = z.strictObject({
  version: z.literal(1),
  approvers: z.array(Approver).optional(),
  rules: z.array(RuleEntry),
  examples: z.array(ExampleEntry).optional(),
});

export type PolicyFile = z.output<typeof PolicyFile>;
export type RuleEntry = z.output<typeof RuleEntry>;
export type ExampleEntry = z.output<typeof ExampleEntry>;
