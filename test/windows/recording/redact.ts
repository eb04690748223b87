/** Settings whose value must not stand in a recording, each with its own mark. */
const SECRET = /^(?:WINDLASS|WIN_AUTOMATION)_(.*(?:WS_PATH|TOKEN|PASSWORD|IDENTITY_FILE|KNOWN_HOSTS|SSH_HOST))$/;
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;

/** Takes secrets, the machine's address and the paths of this side out of a text. */
export function redact(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const secrets = Object.entries(env).flatMap(([name, value = ""]) => {
    const [, setting] = SECRET.exec(name) ?? [];
    return setting === undefined || value.length < 3 ? [] : [{ value, mark: `<${setting.toLowerCase()}>` }];
  });
  // The longest first: one value can be part of another.
  const marked = secrets
    .toSorted((a, b) => b.value.length - a.value.length)
    .reduce((left, { value, mark }) => left.replaceAll(value, mark), text.replaceAll(KEY, "<private key>"));
  return marked.replaceAll(/\/[^\s"']*\/windlass-cli-[A-Za-z0-9]{6}/g, "<project>");
}
