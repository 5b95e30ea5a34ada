/* Shows the beginning of a long text, and all of it when asked. */

import { button, el } from "./elements.js";

const SHOWN_CHARACTERS = 200;
const SHOWN_LINES = 10;
const WORTH_HIDING = 40;
const VALIDITY = /^有效性：.*$/gm;
// Where a line may be cut, best first; a closing quote stays with its sentence.
const ENDS = [/[。！？；!?][”’」』）)]*/g, /[，、：,:]/g];

let count = 0;

/* Where the beginning ends: after whole lines; inside a long line after a sentence, else after a comma, else anywhere. */
function endOfBeginning(text) {
  let end = 0;
  let lines = 0;
  for (const line of text.split("\n")) {
    const next = end + (lines ? 1 : 0) + line.length;
    if (next > SHOWN_CHARACTERS || lines === SHOWN_LINES) break;
    end = next;
    lines += 1;
  }
  if (end >= SHOWN_CHARACTERS / 2 || lines === SHOWN_LINES) return end;
  const head = text.slice(0, SHOWN_CHARACTERS);
  for (const mark of ENDS) {
    const last = Array.from(head.matchAll(mark)).pop();
    const after = last ? last.index + last[0].length : 0;
    if (after > Math.max(end, SHOWN_CHARACTERS / 3)) return after;
  }
  const splitsOneSign = /[\uD800-\uDBFF]$/.test(head);
  return splitsOneSign ? head.length - 1 : head.length;
}

/* The text in pieces; `null` when it is short enough. A line on validity further down is never hidden. */
function pieces(text) {
  const lines = text.split("\n").length;
  if (text.length <= SHOWN_CHARACTERS && lines <= SHOWN_LINES) return null;
  const end = endOfBeginning(text);
  const rest = text.slice(end);
  const validity = Array.from(rest.matchAll(VALIDITY));
  const from = validity.length === 1 ? validity[0].index : rest.length;
  const to = validity.length === 1 ? from + validity[0][0].length : rest.length;
  const hidden = [rest.slice(0, from), rest.slice(to)];
  const saved = hidden.join("").trim();
  if (saved.length < WORTH_HIDING && saved.split("\n").length < 3) return null;
  return { beginning: text.slice(0, end), hidden, validity: rest.slice(from, to) };
}

/* The elements that show a text said by anyone: a paragraph, and a button when there is more of it. */
export function said(text) {
  const found = pieces(text);
  if (!found) return [el("p", "said", text)];
  const paragraph = el("p", "said", found.beginning);
  count += 1;
  paragraph.id = `said-${count}`;
  const gap = el("span", "gap", found.validity ? "…\n" : "…");
  const [before, after] = found.hidden.map((part) => el("span", "rest", part));
  paragraph.append(before, found.validity, after);
  const show = (isOpen) => {
    if (isOpen) gap.remove();
    else before.before(gap);
    before.hidden = !isOpen;
    after.hidden = !isOpen;
    toggle.textContent = isOpen ? "收起" : "展开全文";
    toggle.setAttribute("aria-expanded", String(isOpen));
  };
  const toggle = button("unfold", "", () => {
    const isOpening = before.hidden;
    const above = toggle.getBoundingClientRect().top;
    show(isOpening);
    // Folding takes lines away above the button: the view moves along, so the button stays where it was pressed.
    const scroll = toggle.closest(".scroll");
    if (!isOpening && scroll) scroll.scrollTop += toggle.getBoundingClientRect().top - above;
  });
  toggle.setAttribute("aria-controls", paragraph.id);
  show(false);
  return [paragraph, toggle];
}
