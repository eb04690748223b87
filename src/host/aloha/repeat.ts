export { exchangeRepeatedly } from "../http/repeat.ts";
