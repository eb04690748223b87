const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that some `sh` sets or changes by itself, so a program behind one could not get the value that was asked for. */
const OF_THE_SHELL =
  /^(PWD|OLDPWD|SHLVL|_|_windlass_(go|stop|status)|IFS|OPTIND|PPID|LINENO|RANDOM|SRANDOM|EPOCH(SECONDS|REALTIME)|SHELLOPTS|BASH(OPTS|PID|_ARGV0|_COMMAND|_SUBSHELL|_VERSINFO|_VERSION)?)$/;

/** Says what is wrong with the name of a variable for a program; `undefined` when nothing is. */
export function environmentNameProblem(name: string): string | undefined {
  if (!IDENTIFIER.test(name)) return "is not a name of a variable: letters, digits and _, no digit first";
  if (name === "WINDLASS_ACTOR") return "is set by the worker, to the actor of the job";
  return OF_THE_SHELL.test(name) ? "is set by the shell that starts the program; choose another name" : undefined;
}

/**
 * The part of an environment that programs may see: `names` (`exec.env`), as far as they are set.
 *
 * @param source default: the worker's own environment.
 */
export function allowedEnvironment(
  names: readonly string[],
  source: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string>> {
  const allowed: Record<string, string> = {};
  for (const name of names) {
    const value = environmentNameProblem(name) === undefined ? source[name] : undefined;
    if (value !== undefined) allowed[name] = value;
  }
  return allowed;
}

/** Settings of this program and of what it stands on; some are secrets. */
const OURS = /^(WINDLASS|WIN_AUTOMATION|HATCHET)_/;

/**
 * The environment for a helper that is no job (ssh, a viewer): all of it, as its own configuration may want, but our settings.
 * An ssh that keeps a connection outlives us, and `SendEnv` and `ProxyCommand` pass on what they find.
 */
export function helperEnvironment(
  source: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(source).filter(([name]) => !OURS.test(name)));
}
