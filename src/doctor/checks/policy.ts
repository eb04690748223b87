import { type LoadedPolicy, loadPolicy } from "../../config/policy/load-policy.ts";
import { SYSTEM_POLICY } from "../../config/sources/folders.ts";
import { ownMigrations, schemaVersion } from "../../database/migrate.ts";
import { toErrorRecord } from "../../error.ts";
import type { CheckContext } from "../check.ts";
import { type Facts, type Finding, fail, notConfigured, ok, sayCount } from "../model/finding.ts";
import { toStricter, trustSetting } from "../trust-setting.ts";

const DAY_MS = 86_400_000;

/** Who may do what here, whom it holds, and how to make it hold more. */
export function policy(context: CheckContext): Finding {
  const { policy: path, policyOrigin } = context.config;
  const denied = countDenials(context);
  const facts: Facts = {
    path: path ?? null,
    level: "advisory",
    setting: "advisory",
    ...(denied === undefined ? {} : { denied_24h: denied }),
  };
  const said = denied === undefined || denied === 0 ? "" : `; ${sayCount(denied, "request")} denied in 24 h`;
  if (path === undefined)
    return notConfigured(
      `there is no policy file: the built-in rules hold, and they are advisory${said}`,
      facts,
      "`windlass init` writes one for a project; agents change nothing before a rule lets them",
    );
  let loaded: LoadedPolicy;
  try {
    loaded = loadPolicy({ policy: path, policyOrigin, database: context.config.database });
  } catch (error) {
    const problem = toErrorRecord(error).message;
    return fail(
      `nothing is done before it is right: ${problem}`,
      `correct ${path}, then \`windlass policy test\``,
      facts,
    );
  }
  const { digest, level, reason } = loaded;
  const rules = sayCount(loaded.policy.rules.length, "rule");
  const why = reason === undefined ? "" : `, because ${reason}`;
  const setting = trustSetting(level, { db: isCurrent(context) ? context.db : undefined, boot: context.machine.boot });
  const held = setting === "accounts" ? "; the workers run under another account than this one" : "";
  const found = ok(`${path} (${rules}, digest ${digest.slice(0, 12)}) is ${level}${why}${held}${said}`, {
    ...facts,
    level,
    setting,
    digest,
  });
  const remedy = toStricter(setting, path, SYSTEM_POLICY);
  return remedy === undefined ? found : { ...found, remedy };
}

/** `undefined` where there is no database that has them. */
function countDenials({ db, clock }: CheckContext): number | undefined {
  if (db === undefined || !isCurrent({ db })) return undefined;
  return db.get<{ n: number }>("SELECT count(*) AS n FROM denial WHERE at > ?", clock.now() - DAY_MS)?.n;
}

function isCurrent({ db }: Pick<CheckContext, "db">): boolean {
  return db !== undefined && Number(db.pragma("user_version")) === schemaVersion(ownMigrations());
}
