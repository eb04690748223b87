import { AppError } from "../../error.ts";

const NAME_MAX = 256;
const ID_MAX = 512;

/** @throws AppError `INVALID_INPUT` for a name that is empty, too long, or has characters that cannot be seen. */
export function checkEventName(event: unknown): string {
  if (typeof event === "string" && event.length >= 1 && event.length <= NAME_MAX && !/\p{Cc}/u.test(event))
    return event;
  throw new AppError(
    "INVALID_INPUT",
    `event ${JSON.stringify(event)}: a name is a text of 1 to ${NAME_MAX} characters`,
  );
}

/** @throws AppError `INVALID_INPUT`. */
export function checkEventId(id: unknown): string {
  if (typeof id === "string" && id.length >= 1 && id.length <= ID_MAX) return id;
  throw new AppError("INVALID_INPUT", `event id ${JSON.stringify(id)}: it is a text of 1 to ${ID_MAX} characters`);
}
