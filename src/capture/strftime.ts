const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const DAY_MS = 86_400_000;

/** `strftime(3)` in the C locale; each looks at a local time. */
const CONVERSIONS: Readonly<Record<string, (date: Date) => string>> = {
  "%": () => "%",
  a: (date) => DAYS[date.getDay()]?.slice(0, 3) ?? "",
  A: (date) => DAYS[date.getDay()] ?? "",
  b: (date) => MONTHS[date.getMonth()]?.slice(0, 3) ?? "",
  B: (date) => MONTHS[date.getMonth()] ?? "",
  C: (date) => two(Math.floor(date.getFullYear() / 100)),
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2, " "),
  F: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  h: (date) => MONTHS[date.getMonth()]?.slice(0, 3) ?? "",
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  j: (date) => String(dayOfYear(date)).padStart(3, "0"),
  m: (date) => two(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  R: (date) => `${two(date.getHours())}:${two(date.getMinutes())}`,
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  S: (date) => two(date.getSeconds()),
  T: (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  u: (date) => String(date.getDay() || 7),
  w: (date) => String(date.getDay()),
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  z: zone,
};

/**
 * Writes a local time, in seconds since the epoch, by the conversions of `strftime(3)` that suit a file's name. An
 * unknown one is left as it stands.
 */
export function formatTime(format: string, seconds: number): string {
  const date = new Date(seconds * 1000);
  return format.replace(/%(.)/gs, (whole, letter: string) => CONVERSIONS[letter]?.(date) ?? whole);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** 1 to 366; rounded, since a day of a clock change is not 24 hours long. */
function dayOfYear(date: Date): number {
  const firstMs = new Date(date.getFullYear(), 0, 1).getTime();
  const todayMs = new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((todayMs - firstMs) / DAY_MS) + 1;
}

function zone(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  return `${sign}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
}
