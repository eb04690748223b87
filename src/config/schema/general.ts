import { pathList } from "./lists.ts";
import { duration, wholeNumber, yesNo } from "./numbers.ts";
import { latePath, path } from "./paths.ts";
import type { Facts, Setting } from "./setting.ts";
import { address, choice, httpUrl, text } from "./texts.ts";

/** Where jobs live, what is kept of them, who asks. */
export const GENERAL = {
  backend: choice({
    default: "embedded",
    words: ["embedded", "hatchet"],
    description: "Who makes jobs durable: a SQLite file on this machine, or a Hatchet server.",
  }),
  "database.path": path({
    default: undefined,
    environment: "DB",
    flag: "--db",
    defaultText:
      "`.windlass/windlass.db` of the project folder, else `windlass/windlass.db` in XDG_STATE_HOME or ~/.local/state",
    example: "./windlass.db",
    description: "The SQLite file that holds the jobs of the embedded backend.",
  }),
  jobs: pathList({
    pattern: /\.[cm]?[jt]s$/,
    rule: "files that end in .ts or .js",
    flag: "--jobs",
    flagAdds: true,
    description: "Files of your own job types, loaded by every command that submits or runs jobs.",
  }),
  policy: path({
    default: undefined,
    flag: "--policy",
    defaultText:
      "`windlass.policy.yaml` beside the database, if there; `/etc/windlass/policy.yaml` wins over everything",
    example: "./windlass.policy.yaml",
    description: "The file of rules that says who may do what.",
  }),
  timeout: duration({
    default: "10s",
    description: "How long one network call may take where the command says nothing else.",
  }),
  "http.listen": address({
    default: "127.0.0.1:8080",
    portMin: 0,
    description: "The address that the HTTP interface listens on; port 0 takes any free one.",
  }),
  "retention.days": wholeNumber({
    default: 7,
    min: 0,
    description: "For how many days finished jobs are kept.",
  }),
  "retention.jobs": wholeNumber({
    default: 100_000,
    min: 0,
    description: "How many finished jobs are kept; the oldest go first.",
  }),
  "artifacts.out_dir": latePath({
    default: "./artifacts",
    environment: "ARTIFACT_OUT",
    description:
      "The folder of kept files; a relative one starts at the config file's folder, else at the project folder, else at the database's.",
  }),
  "artifacts.store": store({
    environment: "ARTIFACT_STORE",
    description: "Where workers keep files: the folder, or an S3-compatible bucket that all of them share.",
  }),
  "artifacts.s3_endpoint": httpUrl({
    default: "",
    orEmpty: true,
    environment: "ARTIFACT_S3_ENDPOINT",
    description: "The server of the bucket where it is not Amazon's; credentials come from the environment.",
  }),
  "artifacts.retention_days": wholeNumber({
    default: 7,
    min: 0,
    environment: "ARTIFACT_RETENTION_DAYS",
    description: "For how many days kept files stay; the default of `artifacts gc --days`.",
  }),
  "artifacts.mirror": yesNo({
    default: false,
    environment: "ARTIFACT_MIRROR",
    description: "Copies the kept files of a job to the Windows machine that it ran on.",
  }),
  actor: text({
    default: undefined,
    flag: "--actor",
    environmentOnly: true,
    // Which kinds there are, the policy knows: parseActor reads the text.
    pattern: /^[a-z]+:[^\p{Cc}]+$/u,
    rule: "kind:name, such as agent:codex",
    defaultText: "person:<user> on a terminal, else unattended:<user>",
    description: "Who asks; it can only make the caller stricter than what was found.",
  }),
  metrics_path: path({
    default: undefined,
    environmentOnly: true,
    defaultText: "standard output",
    description: "The file that `worker --metrics` appends its lines to.",
  }),
  integration: yesNo({
    default: false,
    environmentOnly: true,
    description: "Lets the tests talk to real servers and machines.",
  }),
} as const;

function store(facts: Facts): Setting<string, ""> {
  const plain = text({
    ...facts,
    default: "folder",
    pattern: /^(folder|s3:\/\/[a-z0-9][a-z0-9.-]{1,62}(\/[^\s?#]*)?)$/,
    rule: "folder or s3://bucket/prefix",
  });
  return { ...plain, parse: (value, place) => plain.parse(value, place).replace(/\/+$/, "") };
}
