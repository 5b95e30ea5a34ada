/*
 * Puts the assistant on any page: <script src="https://HOST/widget.js" defer data-title="在线咨询"></script>
 * A round button at the lower right opens the chat of this script's own host in a frame. Esc or the button closes it.
 */
(function () {
  "use strict";
  var script = document.currentScript;
  if (!script || window.__qifuWidget) return;
  window.__qifuWidget = true;

  var SVG = "http://www.w3.org/2000/svg";
  var CHAT = "M7 4h10a4 4 0 0 1 4 4v6a4 4 0 0 1-4 4h-5l-4.5 3.5V18H7a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4zM8 9.5h8M8 13h5";
  var CROSS = "M6 6l12 12M18 6L6 18";
  var home = new URL(script.src).origin;
  var title = script.getAttribute("data-title") || "企服小福在线咨询";
  var narrow = window.matchMedia("(max-width: 600px)");
  var isOpen = false;
  var frame = null;

  // The page around us keeps its styles and we keep ours; the style property is allowed under any content policy.
  function style(node, rules) {
    node.style.cssText = "all: initial; box-sizing: border-box; " + rules;
  }

  function picture(path) {
    var svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.style.cssText = "display: block; width: 28px; height: 28px; fill: none; stroke: #fff; stroke-width: 1.8; " +
      "stroke-linecap: round; stroke-linejoin: round; pointer-events: none";
    var line = document.createElementNS(SVG, "path");
    line.setAttribute("d", path);
    svg.appendChild(line);
    return svg;
  }

  var host = document.createElement("div");
  style(host, "position: fixed; z-index: 2147483000; right: 0; bottom: 0; display: block; width: 0; height: 0");
  var root = host.attachShadow({ mode: "open" });
  var panel = document.createElement("div");
  panel.id = "panel";
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", title);
  var button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-controls", "panel");
  button.addEventListener("click", function () {
    toggle(!isOpen);
  });
  button.addEventListener("focus", paint);
  button.addEventListener("blur", paint);

  function paint() {
    var full = narrow.matches;
    var place = full
      ? "top: 0; right: 0; bottom: 0; left: 0; width: 100%; height: 100%"
      : "right: 24px; bottom: 96px; width: 400px; height: 680px; max-width: calc(100vw - 48px); " +
        "max-height: calc(100vh - 120px); border-radius: 18px; box-shadow: 0 12px 48px rgba(18, 54, 45, .28)";
    style(panel, "position: fixed; overflow: hidden; background: #f4f7f5; " + place +
      "; display: " + (isOpen ? "block" : "none"));
    var focused = root.activeElement === button && button.matches(":focus-visible");
    style(button, "position: fixed; right: 24px; bottom: 24px; width: 60px; height: 60px; border-radius: 50%; " +
      "align-items: center; justify-content: center; background: #0b6b5d; cursor: pointer; " +
      "box-shadow: 0 6px 20px rgba(18, 54, 45, .35); outline-offset: 3px; " +
      "outline: " + (focused ? "3px solid #0b6b5d" : "2px solid transparent") +
      "; display: " + (isOpen && full ? "none" : "flex"));
    button.replaceChild(picture(isOpen ? CROSS : CHAT), button.firstChild);
    button.setAttribute("aria-expanded", String(isOpen));
    button.setAttribute("aria-label", (isOpen ? "关闭" : "打开") + title);
    button.title = title;
  }

  function toggle(open) {
    isOpen = open;
    if (open && !frame) {
      frame = document.createElement("iframe");
      frame.title = title;
      frame.allow = "clipboard-write";
      style(frame, "display: block; width: 100%; height: 100%; border: 0");
      frame.src = home + "/?embed=1";
      panel.appendChild(frame);
    }
    paint();
    if (open) frame.focus();
    else button.focus();
  }

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && isOpen) toggle(false);
  });
  window.addEventListener("message", function (event) {
    var isOurs = frame && event.source === frame.contentWindow && event.origin === home;
    if (isOurs && event.data && event.data.type === "qifu:close" && isOpen) toggle(false);
  });
  if (narrow.addEventListener) narrow.addEventListener("change", paint);
  else narrow.addListener(paint);

  button.appendChild(picture(CHAT));
  root.appendChild(panel);
  root.appendChild(button);
  paint();
  document.body.appendChild(host);
})();
