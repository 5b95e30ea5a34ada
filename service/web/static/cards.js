/* Draws what hangs below a reply: the clauses it relies on, an appeal, matched policies. */

import { button, dayText, el, fullTime, icon, webAddress } from "./elements.js";
import { appealState, clock, pageOf, stamp, timeline } from "./progress.js";

const VALIDITY = {
  current: ["有效", "good"],
  expired: ["已过期", "bad"],
  unknown: ["有效期未核实", "unsure"],
};
const VERDICTS = { eligible: ["符合条件", "good"], ineligible: ["暂不符合", "bad"], unknown: ["待补充信息", "unsure"] };
const CRITERION_VERDICTS = { met: "符合", failed: "不符合", unknown: "待确认" };
const MATCHES_SHOWN = 3;

/* The service may speak its own codes or ready Chinese words; an unknown one is shown as it is, in a neutral colour. */
function labelled(table, value) {
  if (Object.prototype.hasOwnProperty.call(table, value)) return table[value];
  const known = Object.keys(table).find((key) => table[key][0] === value);
  return known ? table[known] : [value, "unsure"];
}

function facts(rows) {
  const list = el("dl", "facts");
  rows.forEach(([name, value]) => {
    if (!value) return;
    const row = el("div");
    row.append(el("dt", "", name), el("dd", "", value));
    list.append(row);
  });
  return list;
}

function validity(card) {
  if (card.valid_from && card.valid_to) return `${dayText(card.valid_from)}至${dayText(card.valid_to)}`;
  if (card.valid_from) return `${dayText(card.valid_from)}起`;
  return card.valid_to ? `至${dayText(card.valid_to)}` : "未注明";
}

/* A clause behind a fold; on the card of its policy the name is not said again. */
function citation(card, name = card.title) {
  const fold = el("details", "card citation");
  const head = el("summary");
  const title = el("span", "card-title", name);
  if (card.clause) title.append(el("span", "clause", card.clause));
  const line = el("span", "card-line");
  line.append(title, stamp(labelled(VALIDITY, card.status)));
  head.append(icon("book"), line, icon("chevron"));
  const body = el("div", "card-body");
  body.append(el("blockquote", "", card.quote));
  body.append(facts([["文号", card.doc_no], ["发布机关", card.issuer], ["有效期", validity(card)]]));
  const address = webAddress(card.url);
  if (address) {
    const link = el("a", "source", "查看原文");
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.append(icon("link"), el("span", "vh", "（在新窗口打开）"));
    body.append(link);
  }
  fold.append(head, body);
  return fold;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    // Plain http and foreign frames have no clipboard: select a hidden field and copy the old way.
    const before = document.activeElement;
    const field = el("textarea", "vh");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (before) before.focus();
    return done;
  }
}

function appeal(card, desk) {
  const box = el("section", "card appeal");
  box.setAttribute("aria-label", `诉求 ${card.no}`);
  const head = el("div", "card-head");
  let badge = stamp(appealState(card.state));
  const copied = button("icon-button", "", async () => {
    desk.announce((await copy(card.no)) ? `已复制编号 ${card.no}` : "没有复制成功，请手动选择编号");
    copied.classList.add("done");
    window.setTimeout(() => copied.classList.remove("done"), 1600);
  });
  copied.append(icon("copy"), icon("met"));
  copied.title = "复制编号";
  copied.setAttribute("aria-label", `复制诉求编号 ${card.no}`);
  const number = el("span", "number");
  number.append(el("span", "digits", card.no), copied);
  head.append(icon("ticket"), el("span", "label", "诉求"), number, badge);

  const progress = el("div", "progress");
  progress.hidden = true;
  progress.setAttribute("role", "status");
  const toggle = button("small wide", "查看进度", async () => {
    const opening = progress.hidden;
    progress.hidden = !opening;
    toggle.setAttribute("aria-expanded", String(opening));
    toggle.textContent = opening ? "收起进度" : "查看进度";
    if (!opening) return;
    progress.replaceChild(el("p", "muted", "正在查询…"), progress.firstChild);
    let shown;
    try {
      const found = await desk.loadAppeal(card.no);
      const fresh = stamp(appealState(found.state));
      head.replaceChild(fresh, badge);
      badge = fresh;
      shown = el("div");
      const left = clock(found);
      if (left) shown.append(left);
      shown.append(timeline(found.timeline || []));
      if (found.due_note) shown.append(el("p", "muted", found.due_note));
    } catch (error) {
      shown = el("p", "problem", `没有查到进度：${error.message}`);
    }
    progress.replaceChild(shown, progress.firstChild);
    progress.scrollIntoView({ block: "nearest" });
  });
  progress.append(el("p"));
  const whole = el("a", "source", "打开进度页");
  whole.href = pageOf(card.no);
  whole.target = "_blank";
  whole.rel = "noopener";
  whole.append(icon("link"), el("span", "vh", "（在新窗口打开）"));
  toggle.setAttribute("aria-expanded", "false");
  box.append(head, facts([["责任部门", card.department], ["答复期限", fullTime(card.due_at)]]), whole, toggle, progress);
  return box;
}

/* 12500000 → 1,250万元 */
function money(yuan) {
  const [amount, unit] = yuan >= 1e8 ? [yuan / 1e8, "亿元"] : yuan >= 1e4 ? [yuan / 1e4, "万元"] : [yuan, "元"];
  return `${amount.toLocaleString("zh-CN", { maximumFractionDigits: 2 })}${unit}`;
}

const SOURCES = { registry: "登记信息", profile: "企业档案", said: "您说的", derived: "按您说的注册地推定" };

/* Where a fact came from and when: （您说的，2026年11月23日） */
function knownFrom(card) {
  if (!card.source) return "";
  const source = Object.prototype.hasOwnProperty.call(SOURCES, card.source) ? SOURCES[card.source] : card.source;
  return `（${source}${card.day ? `，${dayText(card.day)}` : ""}）`;
}

function criterion(card) {
  const item = el("li", card.verdict);
  const text = el("div");
  const head = el("p", "condition", card.label || card.field);
  head.append(el("span", "verdict", CRITERION_VERDICTS[card.verdict] || card.verdict));
  text.append(head, el("p", "muted", `要求：${card.need}`));
  const off = card.gap ? `，${card.gap.text}` : "";
  text.append(el("p", "muted", `贵公司：${card.have === null ? "未提供" : card.have}${off}${knownFrom(card)}`));
  // An id of a clause (FT-001#conditions) tells a reader nothing; the clause itself is folded below.
  if (card.clause && !card.clause.includes("#")) text.append(el("p", "muted", `依据：${card.clause}`));
  const known = Object.prototype.hasOwnProperty.call(CRITERION_VERDICTS, card.verdict);
  item.append(icon(known ? card.verdict : "unknown"), text);
  return item;
}

/* One matched policy. `cited` are the clauses it rests on, `offered` the buttons about it. */
function match(card, cited, offered, pick) {
  const box = el("section", "card match");
  box.setAttribute("aria-label", card.title);
  const head = el("div", "card-head");
  head.append(el("span", "card-title", card.title), stamp(labelled(VERDICTS, card.verdict)));
  box.append(head);
  if (card.amount_max_cny !== null && card.amount_max_cny !== undefined) {
    const amount = el("p", "amount", "最高 ");
    amount.append(el("strong", "", money(card.amount_max_cny)));
    box.append(amount);
  }
  if (card.dates) box.append(el("p", "muted", card.dates.text));
  if (card.criteria.length) {
    const counts = Object.keys(CRITERION_VERDICTS)
      .map((key) => [CRITERION_VERDICTS[key], card.criteria.filter((each) => each.verdict === key).length])
      .filter(([, count]) => count > 0)
      .map(([label, count]) => `${count} 项${label}`);
    const fold = el("details", "criteria");
    const summary = el("summary");
    summary.append(el("span", "", `条件：${counts.join("，")}`), icon("chevron"));
    const list = el("ul");
    card.criteria.forEach((each) => list.append(criterion(each)));
    fold.append(summary, list);
    box.append(fold);
  }
  box.append(...cited.map((each) => citation(each, "条款原文")));
  if (offered.length) {
    const actions = el("div", "card-actions");
    offered.forEach((each) => actions.append(button("small", actionTitle(each.title), (event) => pick(each, event.detail === 0))));
    box.append(actions);
  }
  return box;
}

/* On its own card "2 为什么" needs no number. */
function actionTitle(title) {
  return title.replace(/^\d+\s*/, "");
}

/* The policy a button is about, by the payload it sends; null where it is about none. */
function policyOf(payload) {
  const start = payload.indexOf("{");
  if (!payload.startsWith("/") || start < 0) return null;
  try {
    return JSON.parse(payload.slice(start)).policy_id || null;
  } catch (error) {
    return null;
  }
}

/* The buttons of a reply that stand on the card of the policy they are about. */
export function cardButtons(reply) {
  const shown = new Set((reply.matches || []).map((card) => card.policy_id));
  return (reply.buttons || []).filter((each) => shown.has(policyOf(each.payload)));
}

/* The text beside the cards: of summary, items and remarks, the items are the cards. */
export function textOf(reply) {
  const parts = reply.text.split("\n\n");
  const hasCards = reply.kind === "match" && (reply.matches || []).length > 0;
  return hasCards && parts.length > 2 ? [parts[0], ...parts.slice(2)].join("\n") : reply.text;
}

function matches(reply, pick) {
  const offered = cardButtons(reply);
  const boxes = (reply.matches || []).map((card) =>
    match(
      card,
      (reply.citations || []).filter((each) => each.policy_id === card.policy_id),
      offered.filter((each) => policyOf(each.payload) === card.policy_id),
      pick,
    ),
  );
  if (boxes.length <= MATCHES_SHOWN) return boxes;
  const rest = boxes.slice(MATCHES_SHOWN);
  rest.forEach((box) => (box.hidden = true));
  const more = button("small wide", `还有 ${rest.length} 项，全部显示`, () => {
    rest.forEach((box) => (box.hidden = false));
    rest[0].tabIndex = -1;
    rest[0].focus();
    more.remove();
  });
  return boxes.concat(more);
}

/* The cards of one reply, in reading order. `desk` has loadAppeal(no) → promise and announce(text); `pick(button, byKey)`
   gets a pressed button of a card. */
export function cardsOf(reply, desk, pick) {
  const cards = matches(reply, pick);
  if (reply.appeal) cards.push(appeal(reply.appeal, desk));
  const matched = new Set((reply.matches || []).map((card) => card.policy_id));
  const others = (reply.citations || []).filter((each) => !matched.has(each.policy_id));
  return cards.concat(others.map((each) => citation(each)));
}
