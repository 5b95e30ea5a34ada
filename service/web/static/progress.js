/* Draws how far an appeal is: its state, its clock and what happened, alike in the chat and on the progress page. */

import { el, fullTime } from "./elements.js";

const STATES = {
  filed: "已登记",
  dispatched: "已派单",
  accepted: "办理中",
  answered: "已答复",
  closed: "已办结",
  returned: "退回重派",
  explained: "已解释说明",
  escalated: "已上报协调",
  reopened: "重新办理",
  withdrawn: "已撤回",
  refused: "不予受理",
};
const TONES = { answered: "good", closed: "good", explained: "good", returned: "unsure", withdrawn: "idle", refused: "idle" };
const NOT_TIMED = new Set(["withdrawn", "refused"]);
const NEAR_SHARE = 0.8;
const NUMBER = /[A-Z0-9]{1,8}-\d{8}-\d{4,8}/g;

/* The name of a state and its tone. */
export function appealState(state) {
  return [STATES[state] || state, TONES[state] || "busy"];
}

export function stamp([label, tone]) {
  return el("span", `stamp ${tone}`, label);
}

/* The address of an appeal's progress page, from wherever the scripts were loaded. */
export function pageOf(no) {
  return new URL(`../appeals/${encodeURIComponent(no)}`, import.meta.url).href;
}

/* How much working time is left, in the very words the desk reads; null where nobody owes an answer to count for. */
export function clock(found) {
  const left = found.remaining;
  if (!left || NOT_TIMED.has(found.state)) return null;
  const used = Math.round(left.share_used * 100);
  let tone = left.share_used >= NEAR_SHARE ? "near" : "calm";
  if (left.is_over || left.paused) tone = "still";
  if (left.is_overdue) tone = "late";
  const box = el("div", `clock ${tone}`);
  box.append(el("strong", "", left.text));
  const track = el("span", "track");
  const bar = el("span", "bar");
  bar.style.width = `${Math.min(100, used)}%`;
  track.append(bar);
  const due = left.is_over || left.paused ? "" : ` · ${fullTime(found.due_at)} 前答复`;
  const more = `时限已用 ${used}%${due}`;
  box.append(track, el("span", "muted", more));
  if (left.paused_until) box.append(el("span", "muted", `最晚 ${fullTime(left.paused_until)} 自动恢复计时`));
  return box;
}

/* What happened, oldest first. */
export function timeline(events) {
  const list = el("ol", "timeline");
  events.forEach((event) => {
    const item = el("li");
    item.append(el("strong", "", appealState(event.state)[0]), el("time", "", fullTime(event.at)));
    if (event.text) item.append(el("p", "", event.text));
    list.append(item);
  });
  if (!events.length) list.append(el("li", "", "还没有办理记录"));
  return list;
}

/* Makes the numbers of appeals within an element's text lead to their progress pages. */
export function linkNumbers(node) {
  Array.from(node.childNodes).forEach((child) => {
    if (child.nodeType === Node.ELEMENT_NODE) linkNumbers(child);
    if (child.nodeType !== Node.TEXT_NODE) return;
    const text = child.data;
    const found = Array.from(text.matchAll(NUMBER));
    if (!found.length) return;
    const pieces = [];
    let end = 0;
    found.forEach((match) => {
      const link = el("a", "", match[0]);
      link.href = pageOf(match[0]);
      link.target = "_blank";
      link.rel = "noopener";
      link.title = "查看办理进度（在新窗口打开）";
      pieces.push(text.slice(end, match.index), link);
      end = match.index + match[0].length;
    });
    child.replaceWith(...pieces, text.slice(end));
  });
  return node;
}
