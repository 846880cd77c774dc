/**
 * `<genlook-try-on>`: the button on the page. All it does until it is pressed is to be there; what the window needs is
 * loaded then.
 *
 * It fires `genlook:opened`, `genlook:photo-uploaded`, `genlook:started`, `genlook:completed` and `genlook:failed`,
 * which bubble and carry the product's id in `detail.product`.
 *
 * @import { Flow, Memory } from "./flow.js"
 * @import { Dialog } from "./dialog.js"
 *
 * @typedef {"api" | "photo" | "watch" | "flow" | "dialog"} Module
 * @typedef {object} Settings
 * @property {{id: string, title: string, picture: string}} product
 * @property {{product: string, photos: string, try_ons: string, gallery: string}} urls
 * @property {Record<"styles" | Module, string>} files
 * @property {Record<string, string>} texts
 */

/** What is loaded when the window is wanted. @type {Module[]} */
const MODULES = ["api", "photo", "watch", "flow", "dialog"];

export class GenlookTryOn extends HTMLElement {
  /** @type {Settings | null} */
  #settings = null;
  /** @type {HTMLButtonElement | null} */
  #button = null;
  /** @type {HTMLElement | null} */
  #said = null;
  /** @type {Promise<Flow> | null} */
  #flow = null;
  /** @type {Promise<Dialog> | null} */
  #dialog = null;
  /** How often loading has failed. */
  #failures = 0;

  connectedCallback() {
    if (this.shadowRoot) return;
    const data = this.querySelector('script[type="application/json"]');
    if (!data) return;
    /** @type {Settings} */
    const settings = JSON.parse(data.textContent ?? "");
    this.#settings = settings;
    this.#draw(settings);
    const { memory } = this;
    const known = memory.read();
    if (known && !known.isDone) void this.#resume(Date.now() - known.since < 3_600_000);
  }

  /** Open the window, as a press on the button does. Resolves when it is open. */
  async open() {
    const button = this.#button;
    if (!button || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      const [dialog, flow] = await Promise.all([this.#getDialog(), this.#getFlow()]);
      this.#say("");
      dialog.open();
      this.#emit("opened");
      if (flow.state.view === "checking") {
        if (this.memory.read()) flow.resume();
        else void flow.check();
      }
    } catch (error) {
      // Forgotten, so that the next press loads it anew.
      this.#dialog = this.#flow = null;
      this.#failures += 1;
      console.error(error);
      this.#say(this.#settings?.texts.not_loaded ?? "", true);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** The try-on that this tab waits for or has seen, kept over reloads. @type {Memory} */
  get memory() {
    const key = `genlook:${this.#settings?.urls.product}`;
    return {
      read: () => {
        try {
          return JSON.parse(sessionStorage.getItem(key) ?? "null");
        } catch {
          return null;
        }
      },
      write: (what) => {
        try {
          sessionStorage.setItem(key, JSON.stringify(what));
        } catch {
          // Storage refused: after a reload the picture is found in "my try-ons" only.
        }
      },
      clear: () => {
        try {
          sessionStorage.removeItem(key);
        } catch {
          // Storage refused: there is nothing to clear.
        }
      },
    };
  }

  /** @param {Settings} settings */
  #draw({ files, texts }) {
    const root = this.attachShadow({ mode: "open" });
    const styles = document.createElement("link");
    styles.rel = "stylesheet";
    styles.href = files.styles;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "opener";
    button.part.add("button");
    button.setAttribute("aria-haspopup", "dialog");
    const icon = document.createElement("span");
    icon.className = "spark";
    icon.setAttribute("aria-hidden", "true");
    const label = document.createElement("span");
    label.textContent = texts.button;
    button.append(icon, label);
    const said = document.createElement("p");
    said.className = "said";
    said.setAttribute("role", "status");
    button.addEventListener("click", () => void this.open());
    // By the time the finger lifts, most of the window is there.
    for (const hint of ["pointerenter", "pointerdown", "focus"]) {
      button.addEventListener(hint, () => this.#warm(), { once: true });
    }
    // Until its style is there, the button keeps its place but is not seen.
    button.hidden = true;
    styles.onload = styles.onerror = () => (button.hidden = false);
    root.append(styles, button, said);
    this.#button = button;
    this.#said = said;
  }

  /** Wait on for what was under way before a reload; a shopper who was looking at the window finds it open again. */
  async #resume(/** @type {boolean} */ isRecent) {
    const [page] = performance.getEntriesByType("navigation");
    const wasReloaded = page instanceof PerformanceNavigationTiming && page.type === "reload";
    try {
      if (isRecent && wasReloaded && this.memory.read()?.isOpen) await this.open();
      else (await this.#getFlow()).resume();
    } catch (error) {
      this.#flow = null;
      console.error(error);
    }
  }

  /** @param {Module} name @returns {Promise<any>} */
  #load(name) {
    const url = this.#settings?.files[name] ?? "";
    // Some browsers remember that a module could not be fetched; to them a fragment makes it another one.
    return import(this.#failures ? `${url}#${this.#failures}` : url);
  }

  #warm() {
    for (const name of MODULES) void this.#load(name).catch(() => {});
  }

  /** @returns {Promise<Flow>} */
  #getFlow() {
    this.#flow ??= this.#loadFlow();
    return this.#flow;
  }

  async #loadFlow() {
    const { product, urls, texts } = /** @type {Settings} */ (this.#settings);
    const [{ Api, Trouble }, photos, watch, { Flow }] = await Promise.all([
      this.#load("api"), this.#load("photo"), this.#load("watch"), this.#load("flow"),
    ]);
    /** @type {Flow} */
    const flow = new Flow({
      api: new Api(urls, texts), photos, watch, Trouble, product: product.id, texts, memory: this.memory,
      emit: (/** @type {string} */ name, /** @type {object} */ detail) => this.#emit(name, detail),
    });
    flow.listen(() => this.#show(flow));
    return flow;
  }

  /** @returns {Promise<Dialog>} */
  #getDialog() {
    this.#dialog ??= (async () => {
      const [{ Dialog }, flow] = await Promise.all([this.#load("dialog"), this.#getFlow()]);
      const dialog = new Dialog({ flow, settings: this.#settings, opener: this.#button });
      this.shadowRoot?.append(dialog.element);
      return dialog;
    })();
    return this.#dialog;
  }

  /** Let the button tell what goes on while the window is closed. @param {Flow} flow */
  #show({ state: { view } }) {
    const { texts } = /** @type {Settings} */ (this.#settings);
    const words = { waiting: texts.button_running, result: texts.button_ready }[String(view)] ?? texts.button;
    const label = this.#button?.lastElementChild;
    if (!label || label.textContent === words) return;
    label.textContent = words;
    this.#button?.classList.toggle("is-running", view === "waiting");
    this.#say(view === "result" ? words : "");
  }

  /** Tell those who listen; trouble is told to those who look, too. @param {string} words */
  #say(words, isTrouble = false) {
    if (!this.#said) return;
    this.#said.textContent = words;
    this.#said.classList.toggle("is-trouble", isTrouble);
  }

  /** @param {string} name @param {object} [detail] */
  #emit(name, detail = {}) {
    const product = this.#settings?.product.id;
    this.dispatchEvent(
      new CustomEvent(`genlook:${name}`, { bubbles: true, composed: true, detail: { product, ...detail } }),
    );
  }
}

customElements.get("genlook-try-on") ?? customElements.define("genlook-try-on", GenlookTryOn);
