/**
 * The window: draws the state of a `Flow` and hands it what the shopper does.
 *
 * @import { Flow, State } from "./flow.js"
 * @import { Settings } from "./try-on.js"
 */

const SLOW_MS = 45_000;

export class Dialog {
  /** @param {{flow: Flow, settings: Settings, opener: HTMLElement}} needs */
  constructor({ flow, settings, opener }) {
    this.flow = flow;
    this.texts = settings.texts;
    this.settings = settings;
    this.opener = opener;
    this.parts = this.#build();
    /** @type {HTMLDialogElement} */
    this.element = this.parts.dialog;
    this.#listen();
    this.shown = /** @type {string} */ ("");
    flow.listen(() => this.#render());
    this.#render();
  }

  /** Show the window and move the focus into it. */
  open() {
    if (this.element.open) return;
    const page = document.documentElement.style;
    this.pageOverflow = page.overflow;
    page.overflow = "hidden";
    this.element.showModal();
    this.flow.setOpen(true);
    this.parts.heading.focus();
    this.clock = setInterval(() => this.#tick(), 1000);
    this.#tick();
  }

  #closed() {
    document.documentElement.style.overflow = this.pageOverflow ?? "";
    clearInterval(this.clock);
    this.flow.setOpen(false);
    this.opener.focus();
    const { view } = this.flow.state;
    // What was refused is asked for anew next time; what is under way or done stays.
    if (view === "unavailable" || view === "problem") this.flow.reset();
  }

  #build() {
    const { texts: t, settings } = this;
    const { title, picture } = settings.product;
    const gallery = () =>
      settings.urls.gallery ? h("a", { class: "button quiet", href: settings.urls.gallery }, t.gallery) : "";
    const p = {
      heading: h("h2", { id: "heading", tabindex: "-1" }, t.heading),
      live: h("p", { class: "aside", role: "status" }),
      close: h("button", { type: "button", class: "close", "aria-label": t.close }, h("span", { "aria-hidden": "true" })),
      preview: h("div", { class: "preview" }),
      result: /** @type {HTMLImageElement} */ (h("img", { class: "result", alt: title ? fill(t.alt, { title }) : t.alt_untitled })),
      // Choosing
      consent: /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: "consent", autocomplete: "off", "aria-describedby": "kept" })),
      hint: h("p", { class: "notice", role: "alert" }),
      choose: /** @type {HTMLButtonElement} */ (h("button", { type: "button", class: "button main" }, t.choose)),
      take: /** @type {HTMLButtonElement} */ (h("button", { type: "button", class: "button touch-only" }, t.take)),
      file: /** @type {HTMLInputElement} */ (h("input", { type: "file", accept: "image/*,.heic,.heif", hidden: "", "aria-label": t.choose })),
      camera: /** @type {HTMLInputElement} */ (h("input", { type: "file", accept: "image/*", capture: "user", hidden: "", "aria-label": t.take })),
      // The photo is chosen
      about: h("p", { class: "lead" }),
      kept: h("p", { class: "small" }),
      start: /** @type {HTMLButtonElement} */ (h("button", { type: "button", class: "button main" }, t.start)),
      different: h("button", { type: "button", class: "button" }, t.different),
      forget: h("button", { type: "button", class: "button quiet" }, t.forget),
      // Waiting
      steps: ["sending", "queued", "making"].map((name) => h("li", { "data-stage": name }, t[name])),
      bar: h("progress", { max: "1", "aria-label": t.sending }),
      elapsed: h("p", { class: "small elapsed" }),
      patience: h("p", { class: "small" }, t.leave),
      // The picture and trouble
      another: h("button", { type: "button", class: "button" }, t.another),
      done: h("button", { type: "button", class: "button main" }, t.done),
      message: h("p", { class: "lead", role: "alert" }),
      retry: /** @type {HTMLButtonElement} */ (h("button", { type: "button", class: "button main" }, t.retry)),
      elsewhere: h("button", { type: "button", class: "button" }, t.different),
    };
    const views = {
      checking: h("section", {}, h("p", { class: "lead" }, t.checking)),
      photo: h("section", {},
        p.hint,
        h("ul", { class: "tips" }, h("li", {}, t.tip_person), h("li", {}, t.tip_frame), h("li", {}, t.tip_light)),
        h("div", { class: "consent" },
          h("label", { for: "consent" }, p.consent, h("span", {}, t.consent)),
          h("p", { class: "small", id: "kept" }, t.kept)),
        h("div", { class: "actions" }, p.choose, p.take, p.file, p.camera)),
      ready: h("section", {}, p.about, p.kept, h("div", { class: "actions pair" }, p.start, p.different, p.forget)),
      waiting: h("section", {}, h("ol", { class: "steps" }, ...p.steps), p.bar, p.elapsed, p.patience),
      result: h("section", {}, h("p", { class: "lead" }, t.note), h("div", { class: "actions pair" }, p.done, p.another, gallery())),
      problem: h("section", {}, p.message, h("div", { class: "actions" }, p.retry, p.elsewhere, gallery())),
    };
    const stage = h("div", { class: "stage" },
      h("div", { class: "invite", "aria-hidden": "true" }, h("span", { class: "figure" }, drawFigure()), h("span", { class: "drop" }, t.drop)),
      p.preview, p.result,
      picture ? h("img", { class: "garment", src: picture, alt: "" }) : "");
    const panel = h("div", { class: "panel" },
      h("header", {}, title ? h("p", { class: "eyebrow" }, title) : "", p.heading), ...Object.values(views), p.live);
    const dialog = /** @type {HTMLDialogElement} */ (
      h("dialog", { "aria-labelledby": "heading", part: "dialog" }, h("div", { class: "frame" }, stage, panel, p.close)));
    return { ...p, views, stage, dialog };
  }

  #listen() {
    const { parts: p, flow, element } = this;
    element.addEventListener("close", () => this.#closed());
    // A press beside the window closes it; one that began inside and slipped out does not.
    let pressed = /** @type {EventTarget | null} */ (null);
    element.addEventListener("pointerdown", (event) => (pressed = event.target));
    element.addEventListener("click", (event) => event.target === element && pressed === element && element.close());
    for (const button of [p.close, p.done]) button.addEventListener("click", () => element.close());
    p.consent.addEventListener("change", () => {
      p.hint.textContent = "";
      this.#render();
    });
    p.choose.addEventListener("click", () => p.file.click());
    p.take.addEventListener("click", () => p.camera.click());
    for (const input of [p.file, p.camera]) {
      input.addEventListener("change", () => {
        this.#take(input.files?.[0]);
        // So that the same file can be chosen again.
        input.value = "";
      });
    }
    // A disabled button lets the press through to here: say why nothing happens.
    p.choose.parentElement?.addEventListener("click", (event) => {
      if (event.target === event.currentTarget && !p.consent.checked) this.#askConsent();
    });
    p.stage.addEventListener("click", () => {
      if (flow.state.view !== "photo") return;
      if (p.consent.checked) p.file.click();
      else this.#askConsent();
    });
    element.addEventListener("dragover", (event) => {
      event.preventDefault();
      element.classList.toggle("is-dragged-over", flow.state.view === "photo");
    });
    element.addEventListener("dragleave", () => element.classList.remove("is-dragged-over"));
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      element.classList.remove("is-dragged-over");
      if (flow.state.view === "photo") this.#take(event.dataTransfer?.files[0]);
    });
    p.start.addEventListener("click", () => void flow.start());
    p.different.addEventListener("click", () => flow.another());
    p.another.addEventListener("click", () => flow.another());
    p.elsewhere.addEventListener("click", () => flow.another());
    p.forget.addEventListener("click", () => void flow.forget());
    p.retry.addEventListener("click", () => void flow.again());
    p.result.addEventListener("load", () => p.stage.classList.add("is-shown"));
    p.result.addEventListener("error", () => flow.state.view === "result" && flow.lostPicture());
  }

  /** @param {File | undefined} file */
  #take(file) {
    if (!file) return;
    if (!this.parts.consent.checked) this.#askConsent();
    else this.flow.choose(file);
  }

  #askConsent() {
    const { consent, hint } = this.parts;
    hint.textContent = this.texts.consent_first;
    consent.focus();
    const box = consent.closest(".consent");
    box?.classList.remove("is-asked");
    // Read, so that the animation begins anew.
    void (/** @type {HTMLElement} */ (box).offsetWidth);
    box?.classList.add("is-asked");
  }

  #render() {
    const { parts: p, texts: t, flow: { state } } = this;
    const view = state.view === "unavailable" ? "problem" : state.view;
    this.element.dataset.view = view;
    for (const [name, section] of Object.entries(p.views)) section.hidden = name !== view;
    const may = p.consent.checked;
    for (const control of [p.choose, p.take, p.file, p.camera]) control.disabled = !may;
    if (view === "photo" && state.message) p.hint.textContent = state.message;
    p.about.textContent = state.isAgain ? t.again_hint : this.#hintFor(state);
    p.kept.textContent = state.keptUntil ? fill(t.kept_until, { time: when(state.keptUntil) }) : t.kept;
    if (p.preview.lastChild !== state.preview) {
      p.preview.replaceChildren(...(state.preview ? [backdropOf(state.preview), state.preview] : []));
    }
    this.#renderWaiting(state);
    if (view === "problem") this.#renderProblem(state);
    if (view === "result" && p.result.getAttribute("src") !== state.imageUrl) {
      p.stage.classList.remove("is-shown");
      p.result.src = state.imageUrl;
    }
    if (view !== "result") {
      p.stage.classList.remove("is-shown");
      p.result.removeAttribute("src");
    }
    if (state.view !== this.shown) this.#enter(state);
  }

  /** @param {State} state */
  #hintFor({ stage, preview }) {
    if (stage === "preparing") return this.texts.preparing;
    return preview ? this.texts.ready_hint : this.texts.no_preview;
  }

  /** A view begins: its heading, its word to those who listen, its focus. @param {State} state */
  #enter({ view, isAgain, message }) {
    const { parts: p, texts: t } = this;
    const from = this.shown;
    this.shown = view;
    if (view !== "photo" || !message) p.hint.textContent = "";
    const headings = {
      ready: isAgain ? t.again : t.ready, waiting: t.waiting, result: t.result, problem: t.problem, unavailable: t.unavailable,
    };
    p.heading.textContent = /** @type {Record<string, string>} */ (headings)[view] ?? t.heading;
    if (!this.element.open) return;
    if (view === "waiting") p.live.textContent = t.waiting;
    if (view === "result") p.live.textContent = `${t.result}. ${t.note}`;
    if (view === "checking" || from === "checking") return;
    // What held the focus is gone. The heading takes it, so that what follows is read, and reached by one Tab.
    p.heading.focus();
  }

  /** @param {State} state */
  #renderWaiting({ stage, share, isOffline }) {
    const { parts: p, texts: t } = this;
    const names = ["sending", "queued", "making"];
    const at = names.indexOf(stage);
    p.steps.forEach((step, place) => {
      step.classList.toggle("is-done", place < at);
      step.classList.toggle("is-now", place === Math.max(at, 0));
      if (place === Math.max(at, 0)) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    // Only the sending has a known length: a bar for what has none would be made up.
    if (stage === "sending" && share > 0 && share < 1) p.bar.setAttribute("value", String(share));
    else p.bar.removeAttribute("value");
    this.element.classList.toggle("is-offline", isOffline);
    if (isOffline) p.patience.textContent = t.offline;
    else if (p.patience.textContent === t.offline) p.patience.textContent = t.leave;
  }

  /** @param {State} state */
  #renderProblem({ view, message, retryAt }) {
    const { parts: p, texts: t } = this;
    if (p.message.textContent !== message) p.message.textContent = message;
    const seconds = Math.ceil((retryAt - Date.now()) / 1000);
    p.retry.hidden = view === "unavailable";
    p.elsewhere.hidden = view === "unavailable" || !this.flow.mayChooseAnother;
    p.retry.disabled = seconds > 0;
    p.retry.textContent = seconds > 0 ? fill(t.retry_in, { seconds: String(seconds) }) : t.retry;
  }

  #tick() {
    const { parts: p, texts: t, flow: { state } } = this;
    if (state.view === "problem") this.#renderProblem(state);
    if (state.view !== "waiting") return;
    const passed = Date.now() - state.since;
    p.elapsed.textContent = passed > 3000 ? fill(t.elapsed, { seconds: String(Math.floor(passed / 1000)) }) : "";
    if (passed > SLOW_MS && !state.isOffline) p.patience.textContent = `${t.slow} ${t.leave}`;
  }
}

/**
 * Make an element.
 * @param {string} tag @param {Record<string, string>} attributes @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A few pixels of a picture, to be spread out behind it. @param {HTMLCanvasElement} picture */
function backdropOf(picture) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { class: "backdrop", width: "12", height: "12" }));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, 12, 12);
  return canvas;
}

/** A person from the waist up in a frame, drawn here so that no picture has to be loaded. */
function drawFigure() {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 80 100");
  for (const line of [
    "M2 16V8a6 6 0 0 1 6-6h8M64 2h8a6 6 0 0 1 6 6v8M78 84v8a6 6 0 0 1-6 6h-8M16 98H8a6 6 0 0 1-6-6v-8",
    "M40 16c7 0 11 5.500 11 12.500S46.500 43 40 43s-11-7.500-11-14.500S33 16 40 16z",
    "M35 41.500v5.500c0 3-15 4-18.500 11C13.500 64 12.500 78 12 92M45 41.500v5.500c0 3 15 4 18.500 11 3 6 4 20 4.500 34",
    "M23 92c1-8 1.500-16 1.500-23M57 92c-1-8-1.500-16-1.500-23",
  ]) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** Put values into a text: `{seconds} s`. @param {string} text @param {Record<string, string>} values */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A time in the page's language, with the day unless it is today. @param {string} iso */
function when(iso) {
  const time = new Date(iso);
  const today = new Date().toDateString() === time.toDateString();
  const language = document.documentElement.lang || undefined;
  return time.toLocaleString(language, {
    ...(today ? {} : { weekday: "long", day: "numeric", month: "long" }), hour: "2-digit", minute: "2-digit",
  });
}
