/* Keeps the visible conversation: bubbles, time lines, quick replies, the typing sign and where the view is. */

import { cardButtons, cardsOf, textOf } from "./cards.js";
import { button, el, shortTime } from "./elements.js";
import { said } from "./folding.js";
import { linkNumbers } from "./progress.js";

const SEPARATE_AFTER_MS = 5 * 60 * 1000;
const SPEAKERS = {
  bot: { initial: "福", name: "企服小福", tag: "机器人" },
  person: { initial: "专", name: "服务专员", tag: "人工" },
  me: { initial: "我", name: "我", tag: null },
};

export class Thread {
  /* `parts` are the elements scroll, log, quick, typing, latest, examples; `onPick(button)` gets a pressed quick reply. */
  constructor(parts, desk, onPick) {
    Object.assign(this, parts);
    this.desk = desk;
    this.onPick = onPick;
    this.latest.addEventListener("click", () => {
      this.toEnd();
      this.scroll.focus();
    });
    this.scroll.addEventListener("scroll", () => {
      if (this.distance() < 60) this.latest.hidden = true;
    });
    this.clear();
  }

  clear() {
    this.log.textContent = "";
    this.mine = new Map();
    this.messages = new Set();
    this.replies = new Set();
    this.titles = new Map([["/cancel_person", "取消排队"]]);
    this.group = null;
    this.lastMine = null;
    this.lastAt = null;
    this.clearQuick();
    this.setTyping(false);
    this.latest.hidden = true;
    this.examples.hidden = false;
  }

  /* Runs `work` (history) without a screen reader reading all of it out. */
  quietly(work) {
    this.log.setAttribute("aria-live", "off");
    work();
    window.setTimeout(() => this.log.setAttribute("aria-live", "polite"), 300);
  }

  hasMine(clientId, messageId) {
    return this.mine.has(clientId) || this.messages.has(messageId);
  }

  /* What the person saw when the text was a button's payload, otherwise the text. */
  titleOf(text) {
    return this.titles.get(text) || text;
  }

  addMine(clientId, text, at) {
    this.clearQuick();
    const stack = this.groupOf("me", at);
    const bubble = el("div", "bubble");
    bubble.append(...said(this.titleOf(text)));
    const line = el("div", "line");
    line.append(bubble);
    stack.append(line);
    this.mine.set(clientId, line);
    this.lastMine = line;
  }

  /* `state` is sending, sent or failed; a failure brings its text and what the offered button does. */
  mark(clientId, state, failure) {
    const line = this.mine.get(clientId);
    if (!line) return;
    line.classList.toggle("sending", state === "sending");
    const old = line.querySelector(".failure");
    if (old) old.remove();
    if (state !== "failed") return;
    const note = el("div", "failure");
    note.setAttribute("role", "alert");
    note.append(el("span", "", failure.text), button("small", failure.action, failure.onAction));
    line.append(note);
    this.follow(true);
  }

  remove(clientId) {
    const line = this.mine.get(clientId);
    this.mine.delete(clientId);
    if (!line) return;
    const group = line.closest(".group");
    line.remove();
    if (!group.querySelector(".line")) {
      group.remove();
      this.group = null;
    }
  }

  /* Shows a reply once, however often it arrives; says whether it was new. */
  addReply(reply, at) {
    if (this.replies.has(reply.id)) return false;
    this.replies.add(reply.id);
    const following = this.isFollowing();
    this.setTyping(false);
    if (reply.author === "system") {
      this.addNote(reply.text, at, reply);
    } else {
      const stack = this.groupOf(reply.author, at, reply.name);
      if (reply.text) {
        const bubble = el("div", "bubble");
        bubble.append(...said(textOf(reply)));
        linkNumbers(bubble);
        stack.append(bubble);
      }
      cardsOf(reply, this.desk, this.onPick).forEach((card) => stack.append(card));
    }
    const onCards = new Set(cardButtons(reply));
    onCards.forEach((each) => this.titles.set(each.payload, each.title));
    this.offer((reply.buttons || []).filter((each) => !onCards.has(each)));
    this.follow(following);
    return true;
  }

  /* A centred line that nobody says, with the cards of its reply when it has one. */
  addNote(text, at, reply) {
    const following = this.isFollowing();
    this.separate(at || new Date());
    this.group = null;
    this.log.append(linkNumbers(el("p", "note", text)));
    if (reply) {
      const cards = cardsOf(reply, this.desk, this.onPick);
      if (cards.length) {
        const stack = el("div", "stack loose");
        stack.append(...cards);
        this.log.append(stack);
      }
    }
    this.follow(following);
  }

  offer(buttons) {
    buttons.forEach((each) => {
      this.titles.set(each.payload, each.title);
      const twice = Array.from(this.quick.children).some((node) => node.dataset.payload === each.payload);
      if (twice) return;
      const node = button("choice", each.title, (event) => this.onPick(each, event.detail === 0));
      node.dataset.payload = each.payload;
      this.quick.append(node);
      this.quick.hidden = false;
    });
  }

  clearQuick() {
    this.quick.textContent = "";
    this.quick.hidden = true;
  }

  setTyping(on) {
    if (this.typing.hidden === !on) return;
    const following = this.isFollowing();
    this.typing.hidden = !on;
    if (on) this.follow(following);
  }

  /* `name` is who of several persons speaks; absent for the others. */
  groupOf(author, at, name) {
    this.examples.hidden = true;
    const fresh = this.separate(at);
    if (!fresh && this.group && this.group.author === author && this.group.name === name) return this.group.stack;
    const speaker = { ...(SPEAKERS[author] || SPEAKERS.bot) };
    if (name) speaker.name = `${speaker.name} ${name}`;
    const node = el("section", `group ${author}`);
    node.setAttribute("aria-label", speaker.tag ? `${speaker.name}（${speaker.tag}）说` : "我说");
    const avatar = el("span", `avatar ${author}`, speaker.initial);
    avatar.setAttribute("aria-hidden", "true");
    const stack = el("div", "stack");
    if (speaker.tag) {
      const title = el("p", "name", `${speaker.name} `);
      title.append(el("span", "tag", speaker.tag));
      stack.append(title);
    }
    node.append(avatar, stack);
    this.log.append(node);
    this.group = { author, name, stack };
    return stack;
  }

  /* Puts a time line where a pause was; says whether it did. */
  separate(at) {
    const moment = new Date(at);
    const pause = this.lastAt === null || moment - this.lastAt > SEPARATE_AFTER_MS;
    this.lastAt = moment;
    if (pause) this.log.append(el("p", "time", shortTime(moment, new Date())));
    return pause;
  }

  /* Where the view should stand: the end, but never past the question a tall answer belongs to. */
  target() {
    const end = this.scroll.scrollHeight - this.scroll.clientHeight;
    if (!this.lastMine) return end;
    const top = this.lastMine.getBoundingClientRect().top - this.scroll.getBoundingClientRect().top;
    return Math.min(end, this.scroll.scrollTop + top - 16);
  }

  distance() {
    return this.scroll.scrollHeight - this.scroll.clientHeight - this.scroll.scrollTop;
  }

  isFollowing() {
    return this.distance() < 60 || Math.abs(this.target() - this.scroll.scrollTop) < 60;
  }

  follow(following) {
    if (following) this.scroll.scrollTop = this.target();
    this.latest.hidden = following || this.distance() < 60;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.latest.hidden = true;
  }
}
