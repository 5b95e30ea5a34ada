/* Builds page elements; every word goes in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";
const ICONS = new URL("icons.svg", import.meta.url).href;

/* An element with a class and, when given, text. */
export function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
}

/* A decorative picture from icons.svg; never the only carrier of a meaning. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

export function button(className, text, onPress) {
  const node = el("button", className, text);
  node.type = "button";
  node.addEventListener("click", onPress);
  return node;
}

/* The address when it is an absolute http(s) one, otherwise null. */
export function webAddress(value) {
  try {
    const url = new URL(value);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch (error) {
    return null;
  }
}

/* The parts of a moment on the wall clock of Beijing, whatever zone the device is in (no summer time there). */
export function beijing(moment) {
  const shifted = new Date(new Date(moment).getTime() + 8 * 3600 * 1000);
  if (Number.isNaN(shifted.getTime())) return null;
  const pad = (value) => String(value).padStart(2, "0");
  const [year, month, day] = [shifted.getUTCFullYear(), shifted.getUTCMonth() + 1, shifted.getUTCDate()];
  return {
    year,
    days: Math.floor(shifted.getTime() / 86400000),
    date: `${month}月${day}日`,
    time: `${pad(shifted.getUTCHours())}:${pad(shifted.getUTCMinutes())}`,
  };
}

/* 2026年11月30日 18:00; an unreadable moment is shown as it came. */
export function fullTime(moment) {
  const parts = beijing(moment);
  return parts ? `${parts.year}年${parts.date} ${parts.time}` : String(moment);
}

/* The separator above a message: the shortest form that is still clear. */
export function shortTime(moment, now) {
  const parts = beijing(moment);
  const today = beijing(now);
  if (!parts) return "";
  if (parts.days === today.days) return parts.time;
  if (parts.days === today.days - 1) return `昨天 ${parts.time}`;
  return parts.year === today.year ? `${parts.date} ${parts.time}` : fullTime(moment);
}

/* A calendar day (YYYY-MM-DD) in Chinese form. */
export function dayText(day) {
  const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(String(day));
  return found ? `${found[1]}年${Number(found[2])}月${Number(found[3])}日` : String(day);
}
