import { AppError, isAppError } from "../../error.ts";

/** Does it, and gives its error what a surface shows beside it: `state=error component=playwright err=…`. */
export async function reportFailure<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isAppError(error)) throw error;
    const err = error.details["err"] ?? error.code.toLowerCase();
    const details = { ...error.details, state: "error", component: "playwright", err };
    throw new AppError(error.code, error.message, { details });
  }
}
