import { AppError, exitStatusOf, isAppError } from "../../error.ts";

/** Words for what the way to a machine says; a browser server's own failures bring theirs. */
const WORDS: Readonly<Record<string, string>> = { HOST_UNREACHABLE: "unreachable", TIMEOUT: "timeout" };

/**
 * Does it, and gives its error what a surface shows beside it: `state=error component=playwright err=…`. What is wrong
 * with the call or the configuration is left as it is.
 */
export async function reportFailure<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isAppError(error) || exitStatusOf(error.code) === 2) throw error;
    const { err, server_version, client_version } = error.details;
    const word = err ?? WORDS[error.code] ?? error.code.toLowerCase();
    const versions = server_version === undefined ? {} : { server_version, client_version };
    const details = { state: "error", component: "playwright", err: word, ...versions };
    throw new AppError(error.code, error.message, { details });
  }
}
