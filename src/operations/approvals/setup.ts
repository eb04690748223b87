import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { fingerprint, type LocalKey, localKeys, readKeyFile } from "../../approval/local-keys.ts";
import { isHardwareKey, isSameKey, parseSshKey } from "../../approval/model/ssh-key.ts";
import { type ApproverEntry, addApprover, approverLines } from "../../config/policy/add-approver.ts";
import { changePolicy, createPolicy } from "../../config/policy/change-policy.ts";
import { type LoadedPolicy, loadPolicy } from "../../config/policy/load-policy.ts";
import { POLICY_FILE, SYSTEM_POLICY } from "../../config/sources/folders.ts";
import { AppError } from "../../error.ts";
import { homeFolder } from "../../host/local/os-user.ts";
import type { Approver } from "../../policy/policy.ts";
import { type CallContext, defineOperation } from "../operation.ts";
import { principalFor } from "./principal-for.ts";

const Output = z.strictObject({
  policy: z.string().describe("The policy file."),
  change: z
    .enum(["added", "none", "by_hand"])
    .describe("none: it stood there already; by_hand: this account may not write the file, and lines are what to add."),
  principal: z.string(),
  key: z.string().describe("The fingerprint of the key."),
  lines: z.array(z.string()).describe("What to add to the file by hand."),
  missing: z.array(z.string()).describe("What is missing for approvals that are enforced; empty: nothing."),
});

/** Makes an approver. */
export const setUpApprovals = defineOperation({
  name: "approvals.setup",
  summary: "Make the first approver of the policy of an SSH key that you have.",
  description:
    "Writes an entry under approvers: into the policy file that holds here, and the default policy first where there is none; a second call changes nothing. Says what is missing for approvals that are enforced.",
  access: "write",
  input: z.strictObject({
    key: z
      .string()
      .min(1)
      .optional()
      .describe("The SSH key, or its .pub. Default: the only one in ~/.ssh and in the SSH agent."),
    principal: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9@._+-]{0,127}$/, { error: "must be a name such as ops@example.com" })
      .optional()
      .describe("What the approver is called. Default: the comment of the key, else account@machine."),
  }),
  output: Output,
  errors: ["USAGE", "CONFIG", "APPROVAL_BY_AGENT", "POLICY_DENIED"],
  database: "none",
  refusesAgents: true,
  lines: ({ lines, missing, ...done }) => [
    done,
    ...lines.map((line) => ({ add: line })),
    ...missing.map((each) => ({ missing: each })),
  ],
  async run({ key: path, principal: wish }, context) {
    const local = path === undefined ? await onlyKey() : await readKeyFile(resolve(context.cwd, path));
    const { place, isNew } = await findPlace(context);
    if (isNew) createPolicy(place.policy);
    const before = loadPolicy(place);
    const entry = { principal: nameOf(local, wish, before), key: keyText(local) };
    const change: z.output<typeof Output>["change"] = isThere(before, local)
      ? "none"
      : await write(place.policy, entry);
    const approver = change === "by_hand" ? entry : (find(loadPolicy(place), local) ?? entry);
    return {
      policy: place.policy,
      change,
      principal: entry.principal,
      key: fingerprint(local.key),
      lines: change === "by_hand" ? [...approverLines(entry)] : [],
      missing: [
        ...sayMissing(before, approver, local),
        ...(change === "none" ? [] : ["workers read the policy when they start: start them again"]),
      ],
    };
  },
});

/** @throws AppError `USAGE` that names the keys, or says how to make one. */
async function onlyKey(): Promise<LocalKey> {
  const [first, ...more] = await localKeys(homeFolder());
  if (first === undefined)
    throw new AppError(
      "USAGE",
      "there is no SSH key in ~/.ssh and none in the SSH agent; make one with a security key: `ssh-keygen -t ed25519-sk -f ~/.ssh/id_approve`, or a plain one: `ssh-keygen -t ed25519 -f ~/.ssh/id_approve`",
    );
  if (more.length === 0) return first;
  const all = [first, ...more].map(({ key, path }) => `${path ?? "in the agent"} (${key.type} ${key.comment})`.trim());
  throw new AppError("USAGE", `there are ${all.length} SSH keys: ${all.join(", ")}; say which one with --key`);
}

async function findPlace({ loadConfig }: Pick<CallContext, "loadConfig">) {
  const { policy, policyOrigin, database } = (await loadConfig()).config;
  if (policy !== undefined) return { place: { policy, policyOrigin, database }, isNew: false };
  const folder = dirname(database.path);
  const found = {
    policy: join(folder, POLICY_FILE),
    policyOrigin: { kind: "found", where: folder },
    database,
  } as const;
  return { place: found, isNew: true };
}

/** @throws AppError `USAGE` where the key is somebody's already: with one key two principals are one. */
function nameOf({ key }: LocalKey, wish: string | undefined, loaded: LoadedPolicy): string {
  const owner = find(loaded, { key })?.principal;
  if (owner !== undefined && wish !== undefined && owner !== wish)
    throw new AppError(
      "USAGE",
      `this key is the one of ${owner} in ${loaded.policy.file}; leave out --principal, or take another key`,
    );
  return owner ?? wish ?? principalFor(key.comment);
}

function find({ policy }: LoadedPolicy, { key }: Pick<LocalKey, "key">): Approver | undefined {
  return policy.approvers.find((approver) => {
    const known = parseSshKey(approver.key);
    return known !== undefined && isSameKey(known, key);
  });
}

function isThere(loaded: LoadedPolicy, local: LocalKey): boolean {
  return find(loaded, local) !== undefined;
}

function keyText({ key: { line, comment } }: LocalKey): string {
  return /^[\x20-\x7e]+$/.test(comment) ? `${line} ${comment}` : line;
}

async function write(path: string, entry: ApproverEntry): Promise<"added" | "by_hand"> {
  const text = addApprover(await readFile(path, "utf8"), entry);
  return changePolicy(path, text) === "written" ? "added" : "by_hand";
}

/** What keeps an approval of this key from being enforced. */
function* sayMissing(
  { policy, level, reason }: LoadedPolicy,
  approver: Approver,
  { key, path }: LocalKey,
): Generator<string> {
  if (level === "advisory")
    yield `${policy.file} is advisory (${reason}): put it at ${SYSTEM_POLICY} as root, and let agents and workers run under an account that is not root's`;
  if (!isHardwareKey(key) && approver.level !== "enforced")
    yield `${path ?? "the key"} is a plain key, with which any program of its account signs: take a security key (ssh-keygen -t ed25519-sk), or keep it where the accounts that ask cannot read it and write level: enforced beside it`;
  if (!policy.rules.some(({ effect }) => effect.kind === "needs-approval"))
    yield "no rule of the policy asks for an approval yet, which matters where jobs do not ask themselves: docs/policy.md";
}
