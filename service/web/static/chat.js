/* The chat page: joins the composer, the header and the visible thread to the service. */

import { Thread } from "./thread.js";
import { memory, newClientId, Transport } from "./transport.js";

const LIMIT = 2000;
const COUNT_FROM = 1800;
const LARGE_KEY = "qifu.large";
const TYPING_MS = 8000;
const STALE_AFTER_MS = 30000;
const RECENT_MS = 60000;
const ASK_AGAIN_MS = [4000, 8000, 16000, 30000];
const OWNERS = {
  bot: ["机器人", "自动回答，可随时转人工"],
  queued: ["排队中", "正在为您联系服务专员"],
  person: ["人工", "服务专员正在为您服务"],
  closed: ["已结束", "本次服务已结束，可继续提问"],
};
const PERSON_WANTED = "转人工";
const PERSON_CANCELLED = "/cancel_person";
const byId = (id) => document.getElementById(id);
const field = byId("text");
const inFrame = window.parent !== window;

let epoch = 0; // counts conversations: what belongs to an earlier one is not shown any more
let owner = "bot";
let ownerName = null;
let queue = Promise.resolve();
let sending = 0;
let typingTimer = null;
const FOOT_BOT = "回答由机器人自动给出，请以政策原文和主管部门解释为准。";
const FOOT_PERSON = "现在由服务专员答复，请以政策原文和主管部门解释为准。";
let askTimer = null;
let hiddenSince = null;
const pending = new Set(); // messages the service has taken and the bot has still to answer
const answered = new Set(); // an answer on the stream may overtake the response to its message

const thread = new Thread(
  {
    scroll: byId("scroll"),
    log: byId("log"),
    quick: byId("quick"),
    typing: byId("typing"),
    latest: byId("latest"),
    examples: byId("examples"),
  },
  { loadAppeal: (no) => transport.appeal(no), announce },
  (choice, byKeyboard) => {
    submit(choice.payload);
    moveOn(byKeyboard);
  },
);
const transport = new Transport({
  onReply: receive,
  onTyping: () => showTyping(true, TYPING_MS),
  onOpen: (isAgain) => {
    if (isAgain || pending.size) sync().catch(() => null);
  },
  onExpired: () => {
    settle();
    thread.addNote("之前的对话已过期，已为您开始新的对话。");
  },
  onLink: showLink,
});

/* ---- sending ---- */

function submit(text) {
  const clientId = newClientId();
  thread.addMine(clientId, text, new Date());
  thread.toEnd();
  deliver(text, clientId);
}

/* Messages leave one after another, in the order they were written. */
function deliver(text, clientId) {
  const mine = epoch;
  thread.mark(clientId, "sending");
  sending += 1;
  refreshTyping();
  queue = queue.then(() => post(text, clientId, mine));
}

async function post(text, clientId, mine) {
  if (mine !== epoch) return;
  try {
    const answer = await transport.send(text, clientId);
    if (mine !== epoch) return;
    sending -= 1;
    thread.mark(clientId, "sent");
    accept(answer);
  } catch (error) {
    if (mine !== epoch) return;
    sending -= 1;
    fail(text, clientId, error);
    // Perhaps only the response was lost: history then knows the message and takes the failure back.
    if (error.isTemporary) sync().catch(() => null);
  }
  refreshTyping();
}

function accept(answer) {
  thread.messages.add(answer.message_id);
  showOwner(answer.owner);
  answer.replies.forEach((reply) => thread.addReply(reply, new Date()));
  if (answer.owner === "person" && !ownerName) sync().catch(() => null);
  if (!answer.replies.length && !answered.has(answer.message_id) && owner === "bot") expect(answer.message_id);
}

function fail(text, clientId, error) {
  const retry = () => {
    field.focus();
    deliver(text, clientId);
  };
  const edit = () => {
    thread.remove(clientId);
    write(thread.titleOf(text));
    field.focus();
  };
  const failure = error.isTemporary
    ? { text: `没有发出去：${error.message}`, action: "重试", onAction: retry }
    : { text: error.message, action: "重新编辑", onAction: edit };
  thread.mark(clientId, "failed", failure);
}

/* ---- receiving ---- */

async function receive({ message_id: messageId, reply }) {
  const mine = epoch;
  // Said in another tab of the same session: history brings the question along with its answer.
  if (messageId && !thread.messages.has(messageId) && !sending) await sync().catch(() => null);
  if (mine !== epoch) return;
  if (messageId) answered.add(messageId);
  pending.delete(messageId);
  const isNew = thread.addReply(reply, new Date());
  if (isNew && reply.author === "person") showOwner("person", reply.name);
  refreshTyping();
  // A line about who answers from now on does not say who: history does.
  if (isNew && (reply.author === "system" || reply.kind === "handoff")) await sync().catch(() => null);
}

/* Brings the page level with what the service holds; may be repeated at any time. */
async function sync() {
  const mine = epoch;
  const found = await transport.history();
  if (!found || mine !== epoch) return;
  showOwner(found.owner, found.owner_name);
  thread.quietly(() => found.messages.forEach(merge));
  refreshTyping();
}

/* What was said to the person unasked has no message: its ids and text are null. */
function merge(message) {
  const { message_id: messageId, client_id: clientId, received_at: at, replies } = message;
  if (thread.hasMine(clientId, messageId)) thread.mark(clientId, "sent");
  else if (message.text) thread.addMine(clientId, message.text, at);
  replies.forEach((reply) => thread.addReply(reply, at));
  if (!messageId) return;
  thread.messages.add(messageId);
  if (replies.length) {
    answered.add(messageId);
    pending.delete(messageId);
  } else if (owner === "bot" && new Date() - new Date(at) < RECENT_MS) {
    expect(messageId);
  }
}

/* Waits for an answer on the stream, and asks for it now and then in case something on the way swallows the stream. */
function expect(messageId) {
  pending.add(messageId);
  if (askTimer === null) askAgain(0);
}

function askAgain(round) {
  if (round === ASK_AGAIN_MS.length) {
    settle();
    thread.addNote("回答还没有到。您可以稍后再看，或换个说法再问一次。");
    return;
  }
  askTimer = window.setTimeout(async () => {
    if (pending.size) await sync().catch(() => null);
    if (pending.size) askAgain(round + 1);
    else askTimer = null;
  }, ASK_AGAIN_MS[round]);
}

function settle() {
  pending.clear();
  window.clearTimeout(askTimer);
  askTimer = null;
  refreshTyping();
}

/* ---- what the page shows around the thread ---- */

/* `person` is the name of who answers, known from history or from what they said. */
function showOwner(name, person) {
  if (!OWNERS[name]) return;
  const [tag, line] = OWNERS[name];
  if (name !== "person") ownerName = null;
  else if (person) ownerName = person;
  owner = name;
  byId("owner-tag").textContent = tag;
  byId("owner-line").textContent = ownerName ? `服务专员${ownerName}正在为您服务` : line;
  byId("app").dataset.owner = name;
  byId("foot").textContent = name === "person" ? FOOT_PERSON : FOOT_BOT;
  byId("person").hidden = name === "queued" || name === "person";
  byId("cancel").hidden = name !== "queued";
  if (name !== "bot") settle();
}

function refreshTyping() {
  showTyping(pending.size > 0 || (sending > 0 && owner === "bot"), null);
}

function showTyping(on, forMs) {
  window.clearTimeout(typingTimer);
  thread.setTyping(on);
  if (on && forMs) typingTimer = window.setTimeout(refreshTyping, forMs);
}

function showLink(isUp) {
  byId("banner").hidden = isUp;
  byId("reconnect").hidden = !navigator.onLine;
  const text = navigator.onLine ? "连接中断，正在重新连接…" : "网络已断开，恢复后会自动重新连接。";
  byId("banner-text").textContent = isUp ? "" : text;
}

function announce(text) {
  byId("announce").textContent = text;
}

/* Focusing the field by ourselves would open the screen keyboard of a phone. */
function hasMouse() {
  return window.matchMedia("(hover: hover)").matches;
}

function moveOn(byKeyboard) {
  (byKeyboard || hasMouse() ? field : byId("scroll")).focus({ preventScroll: true });
}

/* ---- composer ---- */

function write(text) {
  field.value = text;
  measure();
}

function measure() {
  const length = Array.from(field.value).length;
  const count = byId("count");
  const tooLong = length > LIMIT;
  byId("send").disabled = tooLong || !field.value.trim();
  count.classList.toggle("over", tooLong);
  count.textContent = length < COUNT_FROM ? "" : tooLong ? `超出 ${length - LIMIT} 字（最多 ${LIMIT} 字）` : `${length}/${LIMIT}`;
  field.setAttribute("aria-invalid", String(tooLong));
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function sendWritten() {
  const text = field.value.trim();
  if (!text || byId("send").disabled) return;
  write("");
  submit(text);
  field.focus({ preventScroll: true });
}

function pasteTrimmed(event) {
  const text = event.clipboardData && event.clipboardData.getData("text/plain");
  if (!text || text === text.trim()) return;
  event.preventDefault();
  // insertText keeps the browser's undo; where it is gone, the text is set directly.
  if (document.execCommand("insertText", false, text.trim())) return;
  field.setRangeText(text.trim(), field.selectionStart, field.selectionEnd, "end");
  measure();
}

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  sendWritten();
});
field.addEventListener("input", () => {
  measure();
  transport.listen(); // so that the session is there by the time the first message leaves
});
field.addEventListener("paste", pasteTrimmed);
field.addEventListener("keydown", (event) => {
  // While an input method composes, Enter only picks a word (229: WebViews that report it late).
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  sendWritten();
});
Array.from(byId("examples").querySelectorAll("button")).forEach((example) => {
  example.addEventListener("click", (event) => {
    submit(example.textContent);
    moveOn(event.detail === 0);
  });
});

byId("person").addEventListener("click", (event) => {
  submit(PERSON_WANTED);
  moveOn(event.detail === 0);
});
byId("cancel").addEventListener("click", (event) => {
  submit(PERSON_CANCELLED);
  moveOn(event.detail === 0);
});

/* ---- header ---- */

function setLarge(on) {
  document.documentElement.classList.toggle("large", on);
  byId("large").setAttribute("aria-pressed", String(on));
  measure();
}

function askFresh(asking) {
  byId("confirm").hidden = !asking;
  (asking ? byId("confirm-yes") : byId("fresh")).focus();
}

function startFresh() {
  epoch += 1;
  sending = 0;
  queue = Promise.resolve();
  answered.clear();
  transport.forget();
  thread.clear();
  showOwner("bot");
  settle();
  byId("confirm").hidden = true;
  announce("已开始新对话");
  field.focus();
}

byId("large").addEventListener("click", () => {
  const on = byId("large").getAttribute("aria-pressed") !== "true";
  memory.set(LARGE_KEY, on ? "1" : null);
  setLarge(on);
});
byId("fresh").addEventListener("click", () => (transport.token ? askFresh(true) : startFresh()));
byId("confirm-yes").addEventListener("click", startFresh);
byId("confirm-no").addEventListener("click", () => askFresh(false));
byId("reconnect").addEventListener("click", () => {
  transport.hurry();
  field.focus();
});

/* ---- the window ---- */

// Nothing secret is told to the page around the frame, so any origin may hear it.
const closeFrame = () => window.parent.postMessage({ type: "qifu:close" }, "*");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  if (!byId("confirm").hidden) askFresh(false);
  else if (inFrame) closeFrame();
});
window.addEventListener("online", () => transport.hurry());
window.addEventListener("offline", () => transport.token && transport.lose());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenSince = Date.now();
    return;
  }
  transport.hurry();
  if (hiddenSince && Date.now() - hiddenSince > STALE_AFTER_MS) sync().catch(() => null);
});

if (new URLSearchParams(window.location.search).get("embed") === "1") {
  document.documentElement.classList.add("embed");
}
byId("close").hidden = !inFrame;
byId("close").addEventListener("click", closeFrame);
setLarge(memory.get(LARGE_KEY) === "1");
byId("app").removeAttribute("aria-busy");
if (hasMouse()) field.focus({ preventScroll: true });
if (transport.token) {
  sync()
    .then(() => thread.toEnd())
    .catch(() => null)
    .then(() => transport.token && transport.listen());
}
