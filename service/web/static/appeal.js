/* The progress page: opens an appeal by the conversation or by four digits, shows it, takes what is said to it. */

import { button, el, fullTime } from "./elements.js";
import { appealState, clock, stamp, timeline } from "./progress.js";
import { memory, newClientId, request, TOKEN_KEY } from "./transport.js";

const FRESH_MS = 30000;
const SCORES = ["很不满意", "不满意", "一般", "满意", "非常满意"];
const STAGES = [
  ["登记", ["filed"]],
  ["派单", ["dispatched", "returned"]],
  ["办理", ["accepted", "escalated", "reopened"]],
  ["答复", ["answered", "explained"]],
  ["办结", ["closed"]],
];
const byId = (id) => document.getElementById(id);
const content = byId("content");
const shown = byId("shown");

let no = decodeURIComponent(window.location.pathname.split("/").pop() || "").toUpperCase();
let proof = null; // {session} or {phone_last4}
let page = null;
let isWriting = false; // somebody fills in a form: it is not drawn anew under their hands

/* Kept as long as the tab, so that reloading does not ask (and count a guess) again. */
const kept = {
  get: () => {
    try {
      return JSON.parse(window.sessionStorage.getItem(`qifu.proof.${no}`));
    } catch (error) {
      return null;
    }
  },
  set: (value) => {
    try {
      window.sessionStorage.setItem(`qifu.proof.${no}`, JSON.stringify(value));
    } catch (error) {
      return;
    }
  },
};

function address(path = "") {
  return `../api/appeals/${encodeURIComponent(no)}${path}`;
}

function load() {
  return request(`${address()}?${new URLSearchParams(proof)}`);
}

/* ---- finding ---- */

async function open(with_) {
  proof = with_;
  page = await load();
  kept.set(proof);
  draw();
}

function ask(problem = "") {
  byId("find").hidden = false;
  shown.hidden = true;
  byId("no").value = no;
  byId("find-problem").textContent = problem;
  content.removeAttribute("aria-busy");
  (no ? byId("last4") : byId("no")).focus();
}

byId("find").addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = byId("no").value.trim().toUpperCase();
  const digits = byId("last4").value.trim();
  const problem = !typed ? "请填写诉求编号。" : !/^\d{4}$/.test(digits) ? "请填写手机号的后四位数字。" : "";
  byId("find-problem").textContent = problem;
  if (problem) {
    (typed ? byId("last4") : byId("no")).focus();
    return;
  }
  no = typed;
  byId("find-send").disabled = true;
  try {
    await open({ phone_last4: digits });
    window.history.replaceState(null, "", encodeURIComponent(no));
    byId("find").hidden = true;
    content.focus();
  } catch (error) {
    byId("find-problem").textContent = error.message;
    byId("last4").select();
  } finally {
    byId("find-send").disabled = false;
  }
});

async function begin() {
  const before = no ? kept.get() : null;
  const token = memory.get(TOKEN_KEY);
  if (!no || (!token && !before)) return ask();
  try {
    return await open(before || { session: token });
  } catch (error) {
    return ask(error.status === 404 ? "" : error.message);
  }
}

/* ---- showing ---- */

function stages(state) {
  const at = STAGES.findIndex(([, states]) => states.includes(state));
  if (at < 0) return null;
  const list = el("ol", "stages");
  STAGES.forEach(([name], index) => {
    const item = el("li", index < at ? "past" : index === at ? "here" : "", name);
    if (index === at) item.setAttribute("aria-current", "step");
    list.append(item);
  });
  return list;
}

function row(name, value) {
  const line = el("div");
  line.append(el("dt", "", name), el("dd", "", value));
  return line;
}

function head() {
  const card = el("section", "card");
  card.setAttribute("aria-label", `诉求 ${page.no}`);
  const top = el("div", "card-head");
  top.append(el("h2", "digits", page.no), stamp(appealState(page.state)));
  card.append(top);
  const way = stages(page.state);
  if (way) card.append(way);
  const left = clock(page);
  if (left) card.append(left);
  if (page.due_note) card.append(el("p", "muted", page.due_note));
  const facts = el("dl", "facts");
  facts.append(row("事项", page.matter), row("收到", fullTime(page.received_at)), row("责任部门", page.department));
  if (page.co_departments.length) facts.append(row("协办", page.co_departments.join("、")));
  if (page.basis) facts.append(row("依据", page.basis));
  if (page.where_to_go) facts.append(row("去哪里办", page.where_to_go));
  card.append(facts);
  return card;
}

function track() {
  const card = el("section", "card");
  card.append(el("h2", "", "办理过程"));
  const list = timeline(page.timeline);
  list.classList.add("newest");
  list.append(...Array.from(list.children).reverse());
  card.append(list);
  return card;
}

function draw() {
  isWriting = false;
  const cards = [head()];
  const asked = asking();
  if (asked) cards.push(asked);
  cards.push(track());
  const own = adding();
  if (own) cards.push(own);
  shown.replaceChildren(...cards);
  shown.hidden = false;
  content.removeAttribute("aria-busy");
  document.title = `${page.no} ${appealState(page.state)[0]} · 诉求办理进度`;
}

/* ---- saying ---- */

const said = new Map(); // the same words sent again after a lost answer keep their id

async function react(act, more, problem) {
  const words = JSON.stringify([act, more]);
  if (!said.has(words)) said.set(words, newClientId());
  const body = JSON.stringify({ act, client_id: said.get(words), ...more, ...proof });
  problem.textContent = "";
  try {
    page = await request(address("/reaction"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    said.delete(words);
    draw();
    byId("announce").textContent = `已提交。现在的状态：${appealState(page.state)[0]}`;
    content.focus({ preventScroll: true });
  } catch (error) {
    problem.textContent = error.message;
  }
}

/* A card that asks for words; `give` is told them. */
function wordsForm(id, label, action, most, give) {
  const form = el("form", "words");
  form.noValidate = true;
  const title = el("label", "", label);
  title.htmlFor = id;
  const field = el("textarea");
  field.id = id;
  field.rows = 3;
  field.maxLength = most;
  field.addEventListener("input", () => {
    isWriting = field.value.trim().length > 0;
    problem.textContent = "";
  });
  const problem = el("p", "problem");
  problem.setAttribute("role", "alert");
  const send = el("button", "small strong", action);
  send.type = "submit";
  form.append(title, field, problem, send);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) {
      problem.textContent = "请先写明内容。";
      field.focus();
      return;
    }
    send.disabled = true;
    await give(text, problem);
    send.disabled = false;
  });
  return form;
}

/* What is asked of the requester now: solved? content? Later: still not solved? */
function asking() {
  const may = new Set(page.may);
  if (!may.has("solved") && !may.has("rate") && !may.has("not_solved")) return null;
  const card = el("section", "card asking");
  const problem = el("p", "problem");
  problem.setAttribute("role", "alert");
  const notSolved = wordsForm("why", "没有解决的是什么？", "提交，请重新办理", 2000, (text, where) => react("not_solved", { text }, where));
  if (may.has("rate")) {
    card.append(el("h2", "", "这次办理，您满意吗？"));
    const scores = el("div", "scores");
    scores.setAttribute("role", "group");
    SCORES.forEach((name, index) => {
      const each = button("score", "", () => react("rate", { score: index + 1 }, problem));
      each.append(el("b", "", String(index + 1)), el("span", "", name));
      scores.append(each);
    });
    card.append(scores, problem);
  } else if (may.has("solved")) {
    card.append(el("h2", "", "这件事解决了吗？"));
    const choices = el("div", "choices");
    notSolved.hidden = true;
    const no_ = button("small", "没解决", () => {
      notSolved.hidden = false;
      no_.setAttribute("aria-expanded", "true");
      notSolved.querySelector("textarea").focus();
    });
    no_.setAttribute("aria-expanded", "false");
    choices.append(button("small strong", "已解决", () => react("solved", {}, problem)), no_);
    card.append(choices, problem, notSolved);
    return card;
  }
  if (may.has("not_solved")) {
    const fold = el("details", "later");
    fold.append(el("summary", "", "还是没有解决？"), notSolved);
    card.append(fold);
  }
  return card;
}

/* From the conversation: adding to the appeal, withdrawing it. */
function adding() {
  const may = new Set(page.may);
  if (!may.has("supplement") && !may.has("withdraw")) return null;
  const card = el("section", "card");
  card.append(el("h2", "", "补充或撤回"));
  if (may.has("supplement")) {
    card.append(wordsForm("more", "补充说明", "提交补充", 2000, (text, where) => react("supplement", { text }, where)));
  }
  if (may.has("withdraw")) {
    const fold = el("details", "later");
    const problem = el("p", "problem");
    problem.setAttribute("role", "alert");
    const sure = button("small danger", "确定撤回", () => react("withdraw", {}, problem));
    fold.append(el("summary", "", "撤回这件诉求"), el("p", "muted", "撤回后不再办理，也不能恢复；需要时可以重新提交。"), problem, sure);
    card.append(fold);
  }
  return card;
}

/* ---- staying up to date ---- */

async function refresh() {
  if (!page || document.hidden || isWriting) return;
  const fresh = await load().catch(() => null);
  if (!fresh || isWriting || JSON.stringify(fresh) === JSON.stringify(page)) return;
  const isNews = fresh.timeline.length !== page.timeline.length;
  const isHeld = shown.contains(document.activeElement);
  page = fresh;
  if (isNews) byId("announce").textContent = `有新的进展：${page.timeline[page.timeline.length - 1].text}`;
  if (isNews || !isHeld) draw();
}

window.setInterval(refresh, FRESH_MS);
document.addEventListener("visibilitychange", refresh);
begin();
