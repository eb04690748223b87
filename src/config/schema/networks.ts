const NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\.?$/;
const FOUR_NUMBERS = /^\d+(\.\d+){3}$/;

/** True for a host name, an IP address, and a network as `10.0.0.0/8` or `fd00::/8`. */
export function isHostOrNetwork(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return isIp4(text) || isIp6(text) || (NAME.test(text) && !FOUR_NUMBERS.test(text));
  const address = text.slice(0, slash);
  const length = text.slice(slash + 1);
  const bits = isIp4(address) ? 32 : isIp6(address) ? 128 : -1;
  return /^\d{1,3}$/.test(length) && Number(length) <= bits;
}

// node:net would say it too, but costs milliseconds of every start.
function isIp4(text: string): boolean {
  return FOUR_NUMBERS.test(text) && text.split(".").every((part) => Number(part) <= 255);
}

function isIp6(text: string): boolean {
  return text.includes(":") && /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`);
}
