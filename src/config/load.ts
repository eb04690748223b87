import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config, LoadedConfig } from "./config.ts";
import { buildFields } from "./schema/fields.ts";
import { DEFAULT_HOST, type Host } from "./schema/hosts.ts";
import { ROWS, type SettingKey } from "./schema/schema.ts";
import { configError, type Origin } from "./schema/setting.ts";
import { lookUp, readEnvironment, readForeignEnvironment, warnAbout } from "./sources/environment.ts";
import type { ConfigFile } from "./sources/file.ts";
import { findConfigFile, findPolicy, PROJECT_MARK, SYSTEM_POLICY, stateDatabasePath } from "./sources/folders.ts";
import { type Given, readGiven } from "./sources/given.ts";
import type { NamedHosts } from "./sources/hosts.ts";
import type { Environment } from "./sources/interpolate.ts";
import { choiceOfPolicy, putSystemPolicy } from "./sources/policy-choice.ts";
import { findProject, refuseStranger } from "./sources/project.ts";

/** What a configuration is loaded from. */
export interface LoadRequest {
  /** The file that `--config` names; wins over `WINDLASS_CONFIG`. */
  readonly configPath?: string | undefined;
  /** What the command's flags say, by key; `undefined` is not said. */
  readonly flags?: Flags;
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string;
  /** The account that calls; a project of another one is not read. Default: this process's. */
  readonly uid?: number | undefined;
  /** The policy that always wins where it exists. Default: `/etc/windlass/policy.yaml`. */
  readonly systemPolicy?: string;
}

/** Values by key, as a file writes them: `{ "worker.concurrency": 3, "database.path": "jobs.db" }`. */
export type Flags = { readonly [Key in SettingKey]?: unknown };

/**
 * Loads the configuration: defaults, then the config file, then the environment, then flags. Every source is checked
 * whole, so a wrong line in a file is reported also where something stronger hides it.
 *
 * @throws AppError `CONFIG`; {@link configErrorText} is what a command prints.
 */
export async function loadConfig(request: LoadRequest): Promise<LoadedConfig> {
  const { env, cwd, home, uid = process.getuid?.() } = request;
  const found = findProject(cwd, uid);
  const project = found?.strangerUid === undefined ? found?.folder : undefined;
  const named = nameFile(request, project);
  const { file, hosts } = named.path === undefined ? NO_FILE : await openFile(named.path, request);
  const environment = readEnvironment(env, cwd);
  const flags = readFlags(request.flags ?? {}, cwd);
  const ours = [file?.given ?? new Map<SettingKey, Given>(), environment.given, flags];
  const isSaid = (key: SettingKey): boolean => ours.some((source) => source.has(key));
  const strange =
    found === undefined
      ? []
      : refuseStranger(found, { config: named.path !== undefined, database: isSaid("database.path") }, uid);
  const foreign = readForeignEnvironment(env, cwd, isSaid);
  const { values, origins } = readSources([foreign, ...ours], home);
  findMissing(values, origins, { request, project, file });
  const overruled = putSystemPolicy({ values, origins }, request.systemPolicy ?? SYSTEM_POLICY);
  checkTogether(values);
  return {
    config: { ...buildConfig(values, hosts.hosts), policyOrigin: choiceOfPolicy(origins, named.origin) },
    file: named.path === undefined ? undefined : resolve(cwd, named.path),
    origins: new Map([...origins, ...hosts.origins]),
    warnings: [...overruled, ...strange, ...named.warnings, ...(file?.warnings ?? []), ...environment.warnings],
  };
}

interface Values {
  readonly values: Map<SettingKey, unknown>;
  readonly origins: Map<SettingKey, Origin>;
}

interface OpenedFile {
  readonly file?: ConfigFile;
  readonly hosts: NamedHosts;
}

const NO_FILE: OpenedFile = { hosts: { hosts: new Map(), origins: new Map() } };

function nameFile({ configPath, env, cwd }: LoadRequest, project: string | undefined) {
  if (configPath === "") throw configError("--config", "names no file; give a path");
  const variable = lookUp(env, ["CONFIG"], false);
  const found = project === undefined ? undefined : findConfigFile(project);
  const path = configPath ?? variable?.value ?? found;
  const origin: Origin | undefined =
    configPath !== undefined
      ? { kind: "flag", name: "--config" }
      : variable && { kind: "environment", name: variable.name };
  const warnings = variable === undefined ? [] : [...warnAbout(variable)];
  const lying = resolve(cwd, "windlass.yaml");
  if (existsSync(lying) && (path === undefined || resolve(cwd, path) !== lying)) {
    warnings.push(
      `${lying} is not read; name it with --config windlass.yaml or move it to ${PROJECT_MARK}/config.yaml`,
    );
  }
  return { path, origin, warnings };
}

async function openFile(path: string, { env, cwd, home }: LoadRequest): Promise<OpenedFile> {
  // Loaded only where there is a file: most starts have none, and every module costs them half a millisecond.
  const [{ readConfigFile }, { readHosts }] = await Promise.all([
    import("./sources/file.ts"),
    import("./sources/hosts.ts"),
  ]);
  const file = await readConfigFile(path, cwd, env);
  return { file, hosts: readHosts(file, { env, home }) };
}

function readFlags(flags: Flags, cwd: string): ReadonlyMap<SettingKey, Given> {
  const given = new Map<SettingKey, Given>();
  for (const [key, row] of ROWS) {
    const value = flags[key];
    if (value !== undefined) given.set(key, { value, origin: { kind: "flag", name: row.flag ?? key }, folder: cwd });
  }
  return given;
}

function readSources(sources: readonly ReadonlyMap<SettingKey, Given>[], home: string): Values {
  const values = new Map<SettingKey, unknown>();
  const origins = new Map<SettingKey, Origin>();
  for (const [key, row] of ROWS) {
    values.set(key, row.default);
    origins.set(key, { kind: "default" });
    for (const given of sources.map((source) => source.get(key))) {
      if (given === undefined) continue;
      const value = readGiven(key, row, given, home);
      const adds = row.flagAdds === true && given.origin.kind === "flag";
      values.set(key, adds ? [...(values.get(key) as unknown[]), ...(value as unknown[])] : value);
      origins.set(key, given.origin);
    }
  }
  return { values, origins };
}

interface Places {
  readonly request: LoadRequest;
  readonly project: string | undefined;
  readonly file: ConfigFile | undefined;
}

/** Settings whose default is looked for; in this order, because each needs the one before. */
function findMissing(values: Values["values"], origins: Values["origins"], { request, project, file }: Places): void {
  if (values.get("database.path") === undefined) {
    const folder = project === undefined ? undefined : join(project, PROJECT_MARK);
    values.set("database.path", folder ? join(folder, "windlass.db") : stateDatabasePath(request.env, request.home));
    if (folder !== undefined) origins.set("database.path", { kind: "found", where: folder });
  }
  const database = String(values.get("database.path"));
  const policy = values.get("policy") === undefined ? findPolicy(database) : undefined;
  if (policy !== undefined) {
    values.set("policy", policy);
    origins.set("policy", { kind: "found", where: dirname(policy) });
  }
  const base = file?.folder ?? project ?? dirname(database);
  values.set("artifacts.out_dir", resolve(base, String(values.get("artifacts.out_dir"))));
}

function checkTogether(values: Values["values"]): void {
  const inline = Number(values.get("job.inline_bytes"));
  const whole = Number(values.get("job.value_bytes"));
  if (whole < inline)
    throw configError("job.value_bytes", `must be at least job.inline_bytes (${inline}), not ${whole}`);
}

function buildConfig(values: Values["values"], named: Config["hosts"]): Omit<Config, "policyOrigin"> {
  const fields = buildFields(ROWS, (key) => values.get(key as SettingKey)) as unknown as Omit<
    Config,
    "hosts" | "policyOrigin"
  >;
  const { windows, aloha, playwright } = fields;
  const hosts = new Map<string, Host>([[DEFAULT_HOST, { ...windows, aloha, playwright, labels: {} }]]);
  for (const [name, host] of named) {
    // The secret comes from the environment alone, and so is the same for all.
    const server = host.playwright && { playwright: { ...host.playwright, wsPath: playwright.wsPath } };
    hosts.set(name, { ...host, ...server });
  }
  return { ...fields, hosts };
}
