/* Talks to the service: sends, listens, reads history, and comes back after every loss of the line. */

export const TOKEN_KEY = "qifu.session";
const TIMEOUT_MS = 30000;
const SESSION_WAIT_MS = 3000;
const BACKOFF_FIRST_MS = 1000;
const BACKOFF_MOST_MS = 30000;

/* `message` is Chinese and fit to show. `status` is 0 when the service was not reached. */
export class ServiceError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
    this.isTemporary = status === 0 || status === 408 || status === 425 || status === 429 || status >= 500;
  }
}

/* Storage that may be blocked (private mode, foreign frame): then it lasts as long as the page. */
export const memory = {
  kept: {},
  get(key) {
    try {
      return window.localStorage.getItem(key);
    } catch (error) {
      return this.kept[key] || null;
    }
  },
  set(key, value) {
    this.kept[key] = value;
    try {
      if (value === null) window.localStorage.removeItem(key);
      else window.localStorage.setItem(key, value);
    } catch (error) {
      return;
    }
  },
};

/* 1-64 characters of [A-Za-z0-9_-], for one message for ever. */
export function newClientId() {
  const bytes = window.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* The JSON that the service answers; what went wrong comes as a ServiceError. */
export async function request(path, options) {
  const abort = new AbortController();
  const timer = window.setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(path, Object.assign({ signal: abort.signal, cache: "no-store" }, options));
    const body = await response.json().catch(() => null);
    if (response.ok && body) return body;
    const told = body && body.error && body.error.message;
    throw new ServiceError(told || `服务暂时不可用（${response.status}），请稍后再试。`, response.ok ? 502 : response.status);
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    const text = error.name === "AbortError" ? "服务很久没有回应，请重试。" : "网络不通，请检查网络后重试。";
    throw new ServiceError(text, 0);
  } finally {
    window.clearTimeout(timer);
  }
}

export class Transport {
  /* `listener` has onReply(data), onTyping(), onOpen(isAgain), onExpired(), onLink(isUp). */
  constructor(listener) {
    this.listener = listener;
    this.token = memory.get(TOKEN_KEY);
    this.source = null;
    this.timer = null;
    this.failures = 0;
    this.opened = 0;
    this.waiters = [];
  }

  keep(token) {
    this.token = token;
    memory.set(TOKEN_KEY, token);
    this.release();
  }

  release() {
    this.waiters.splice(0).forEach((resolve) => resolve());
  }

  /* Ends the conversation on this page; the next message starts another. */
  forget() {
    this.token = null;
    memory.set(TOKEN_KEY, null);
    this.hangUp();
    this.failures = 0;
    this.opened = 0;
    this.listener.onLink(true);
  }

  hangUp() {
    window.clearTimeout(this.timer);
    this.timer = null;
    if (this.source) this.source.close();
    this.source = null;
  }

  /* Opens the stream unless it is open; without a token the service names a new session on it. */
  listen() {
    if (this.source) return;
    this.hangUp();
    const query = this.token ? `?session=${encodeURIComponent(this.token)}` : "";
    const source = new EventSource(`api/chat/stream${query}`);
    this.source = source;
    const on = (name, handle) =>
      source.addEventListener(name, (event) => {
        if (this.source === source) handle(event);
      });
    on("open", () => {
      this.failures = 0;
      this.opened += 1;
      this.listener.onLink(true);
      this.listener.onOpen(this.opened > 1);
    });
    on("session", (event) => this.greet(JSON.parse(event.data).session));
    on("reply", (event) => this.listener.onReply(JSON.parse(event.data)));
    on("typing", () => this.listener.onTyping());
    on("error", () => this.lose());
  }

  greet(token) {
    if (this.token && this.token !== token) {
      // A message sent meanwhile has already started another session: listen to that one.
      this.hangUp();
      this.listen();
    } else if (!this.token) {
      this.keep(token);
    }
  }

  /* The stream broke: waits 1, 2, 4 … 30 s and opens it again, unless the session is no longer known. */
  async lose() {
    this.hangUp();
    this.release();
    this.failures += 1;
    const wait = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** (this.failures - 1));
    this.timer = window.setTimeout(() => this.listen(), wait * (0.75 + Math.random() / 2));
    this.listener.onLink(false);
    if (this.token && this.failures > 1) await this.history().catch(() => null);
  }

  /* Tries at once instead of waiting for the next turn of the back-off. */
  hurry() {
    if (!this.timer) return;
    window.clearTimeout(this.timer);
    this.timer = null;
    this.listen();
  }

  /* Sends one message. The same client id may be sent again: the service stores it once. */
  async send(text, clientId) {
    if (!this.token) await this.session();
    const told = this.token;
    const body = JSON.stringify({ session: told, text, client_id: clientId });
    try {
      const headers = { "Content-Type": "application/json" };
      const answer = await request("api/chat", { method: "POST", headers, body });
      if (answer.session !== this.token && this.token === told) {
        this.hangUp();
        this.keep(answer.session);
      }
      this.listen();
      return answer;
    } catch (error) {
      if (error.status !== 401 || !told) throw error;
      if (this.token === told) this.expire();
      return this.send(text, clientId);
    }
  }

  /* Waits for the stream to name a session, so that a repeat of the first message meets the same one. */
  session() {
    this.listen();
    return new Promise((resolve) => {
      this.waiters.push(resolve);
      window.setTimeout(resolve, SESSION_WAIT_MS);
    });
  }

  expire() {
    this.forget();
    this.listener.onExpired();
  }

  /* Everything said in this session, or null when there is none (any more). */
  async history() {
    const told = this.token;
    if (!told) return null;
    try {
      const found = await request(`api/chat/history?session=${encodeURIComponent(told)}`);
      return this.token === told ? found : null;
    } catch (error) {
      if (error.status !== 401) throw error;
      if (this.token === told) this.expire();
      return null;
    }
  }

  appeal(no) {
    const session = encodeURIComponent(this.token || "");
    return request(`api/appeals/${encodeURIComponent(no)}?session=${session}`);
  }
}
