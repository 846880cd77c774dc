/**
 * What happens between the press on the button and the picture, without a word of HTML.
 *
 * A `Flow` holds one `State` and says so each time it changes. It goes on while the window is closed, and after a
 * reload it goes on with the try-on that was under way.
 *
 * @import { Api, TryOn, Trouble as TroubleType } from "./api.js"
 * @import { Prepared } from "./photo.js"
 */

/**
 * @typedef {"checking" | "unavailable" | "photo" | "ready" | "waiting" | "result" | "problem"} View
 * @typedef {object} State
 * @property {View} view
 * @property {string} message what went wrong, for `unavailable` and `problem`, or a hint in `photo`
 * @property {number} retryAt when trying again makes sense, in milliseconds of the clock; 0 for at once
 * @property {HTMLCanvasElement | null} preview the browser's own copy of the photo
 * @property {boolean} isAgain the photo was sent earlier
 * @property {string} keptUntil when an earlier photo goes, as an ISO time, or ""
 * @property {"preparing" | "sending" | "queued" | "making"} stage
 * @property {number} share how much of the photo has been sent, 0 to 1
 * @property {number} since when waiting began
 * @property {boolean} isOffline
 * @property {string} imageUrl
 *
 * @typedef {(name: string, detail: Record<string, unknown>) => void} Emit
 * @typedef {{tryOn: string, photo: string, since: number, isDone: boolean, isOpen: boolean}} Remembered
 * @typedef {{read(): Remembered | null, write(what: Remembered): void, clear(): void}} Memory
 * @typedef {{isForeign(file: File): boolean, prepare(file: File): Promise<Prepared>, MAX_BYTES: number,
 *   keep(id: string, preview: HTMLCanvasElement): Promise<void>, recall(id: string): Promise<HTMLCanvasElement | null>,
 *   drop(): void}} Photos
 */

/** The statuses of an error whose remedy is another photo. */
const PHOTO_STATUSES = new Set([410, 413, 415, 422]);

export class Flow {
  /** @type {State} */
  state = {
    view: "checking", message: "", retryAt: 0, preview: null, isAgain: false, keptUntil: "",
    stage: "preparing", share: 0, since: 0, isOffline: false, imageUrl: "",
  };
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** The id of the photo, once the server has it; rejects when the upload fails. @type {Promise<string> | null} */
  #upload = null;
  #abort = new AbortController();
  /** Grows when what is under way is given up, so that late answers are not taken for current ones. */
  #turn = 0;
  #starting = false;
  #isOpen = false;
  /** @type {() => Promise<void>} */
  #retry = async () => {};

  /**
   * @param {object} needs
   * @param {Api} needs.api
   * @param {Photos} needs.photos
   * @param {typeof TroubleType} needs.Trouble
   * @param {string} needs.product
   * @param {Record<string, string>} needs.texts
   * @param {Memory} needs.memory the try-on of this tab, over reloads
   * @param {Emit} needs.emit
   */
  constructor({ api, photos, Trouble, product, texts, memory, emit }) {
    this.api = api;
    this.photos = photos;
    this.Trouble = Trouble;
    this.product = product;
    this.texts = texts;
    this.memory = memory;
    this.emit = emit;
  }

  /** Call `listener` after each change of the state. @param {() => void} listener */
  listen(listener) {
    this.#listeners.add(listener);
  }

  /** Whether the shopper looks at the window, which a reload brings back. @param {boolean} isOpen */
  setOpen(isOpen) {
    this.#isOpen = isOpen;
    const known = this.memory.read();
    if (known) this.memory.write({ ...known, isOpen });
  }

  /** Ask whether the product may be tried on, and for a photo that can be used again. */
  async check() {
    const turn = this.#begin();
    this.#set({ view: "checking", message: "" });
    try {
      const [offer, photos] = await Promise.all([this.api.offer(), this.api.photos()]);
      if (turn !== this.#turn) return;
      if (!offer.available) {
        this.#set({ view: "unavailable", message: offer.message || this.texts.server });
        return;
      }
      const [photo] = photos;
      if (!photo) {
        this.#set({ view: "photo", preview: null });
        return;
      }
      const preview = await this.photos.recall(photo.id);
      if (turn !== this.#turn) return;
      this.#upload = Promise.resolve(photo.id);
      this.#set({ view: "ready", preview, isAgain: true, keptUntil: photo.expires_at ?? "", stage: "queued", share: 1 });
    } catch (trouble) {
      if (turn === this.#turn) this.#fail(trouble, () => this.check());
    }
  }

  /**
   * Take a photo whose owner has agreed, and begin to send it while its owner looks at it.
   * @param {File} file
   */
  choose(file) {
    if (this.photos.isForeign(file)) {
      this.#set({ view: "photo", message: this.texts.not_a_photo });
      return;
    }
    const turn = this.#begin();
    this.#set({ view: "ready", message: "", preview: null, isAgain: false, keptUntil: "", stage: "preparing", share: 0 });
    this.#send(this.#prepare(file, turn), turn);
  }

  /** Ask for the picture. A second press while the first is under way does nothing. */
  async start() {
    if (this.#starting || !this.#upload) return;
    this.#starting = true;
    const turn = this.#turn;
    this.#set({ view: "waiting", message: "", since: Date.now(), isOffline: false });
    try {
      const photo = await this.#upload;
      if (turn !== this.#turn) return;
      this.#set({ stage: "queued", share: 1 });
      const { since } = this.state;
      // Without an id at first: a page that is left before the answer comes finds the try-on among the shopper's own.
      this.memory.write({ tryOn: "", photo, since, isDone: false, isOpen: this.#isOpen });
      const tryOn = await this.api.startTryOn(this.product, photo);
      this.memory.write({ tryOn: tryOn.id, photo, since, isDone: false, isOpen: this.#isOpen });
      this.emit("started", { tryOn: tryOn.id, photo });
      if (turn === this.#turn) void this.#watch(tryOn, turn);
    } catch (trouble) {
      if (trouble instanceof this.Trouble && trouble.status !== 0) this.memory.clear();
      if (turn === this.#turn) this.#failStart(trouble);
    } finally {
      this.#starting = false;
    }
  }

  /** Go on with the try-on that this tab was waiting for, or show it again. */
  resume() {
    const known = this.memory.read();
    if (!known) return;
    const turn = this.#begin();
    this.#set({ view: "waiting", message: "", stage: "queued", share: 1, since: known.since, preview: null });
    void this.photos.recall(known.photo).then((preview) => preview && turn === this.#turn && this.#set({ preview }));
    if (known.tryOn) void this.#watch({ id: known.tryOn, status: "QUEUED", retry_after: 0 }, turn);
    else void this.#find(known, turn);
  }

  /** Go on with a try-on whose start was not answered before the page was left. @param {Remembered} known @param {number} turn */
  async #find(known, turn) {
    try {
      const all = await this.api.tryOns();
      if (turn !== this.#turn) return;
      // A minute for clocks that differ.
      const found = all.find((one) => one.product === this.product && Date.parse(one.created_at ?? "") > known.since - 60_000);
      if (found) {
        this.memory.write({ ...known, tryOn: found.id });
        await this.#watch(found, turn);
      } else {
        this.memory.clear();
        await this.check();
      }
    } catch (trouble) {
      if (turn === this.#turn) this.#fail(trouble, async () => this.resume());
    }
  }

  /** Leave the photo or the picture, and choose another photo. */
  another() {
    this.#begin();
    this.memory.clear();
    this.#set({ view: "photo", message: "", preview: null, imageUrl: "" });
    // The token may never have been fetched when the page was reloaded while waiting.
    if (!this.api.token) void this.api.offer().catch(() => {});
  }

  /** Have the server forget the photo. */
  async forget() {
    const upload = this.#upload;
    this.another();
    this.photos.drop();
    try {
      const id = await upload;
      if (id) await this.api.forgetPhoto(id);
    } catch (trouble) {
      if (trouble instanceof this.Trouble && trouble.passes && trouble.code !== "aborted") {
        this.#fail(trouble, () => this.check());
      }
    }
  }

  /** The picture is there, but its file did not arrive. */
  lostPicture() {
    this.#fail(new this.Trouble(this.texts.picture_missing, { code: "picture" }), async () => this.resume());
  }

  /** Begin anew at the next look: what was refused may be possible then. */
  reset() {
    if (this.state.view === "unavailable" || this.state.view === "problem") this.#set({ view: "checking", message: "" });
  }

  /** Whether a shopper in trouble may choose another photo instead of trying again. */
  get mayChooseAnother() {
    return this.api.token !== "";
  }

  /** Do again what failed. */
  async again() {
    if (this.state.view === "problem" && Date.now() >= this.state.retryAt) await this.#retry();
  }

  /** @param {File} file @param {number} turn @returns {Promise<Prepared>} */
  async #prepare(file, turn) {
    const prepared = await this.photos.prepare(file);
    if (prepared.file.size > this.photos.MAX_BYTES) {
      throw new this.Trouble(this.texts.too_large, { code: "FILE_TOO_LARGE", status: 413 });
    }
    if (turn === this.#turn) this.#set({ preview: prepared.preview, stage: "sending" });
    return prepared;
  }

  /** Send the photo as soon as it is prepared; whoever needs its id waits for `#upload`. @param {Promise<Prepared>} photo @param {number} turn */
  #send(photo, turn) {
    this.#upload = this.#sent(photo, turn);
    this.#upload.catch((trouble) => {
      // While waiting, start() is told as well and says it.
      if (turn !== this.#turn || this.state.view !== "ready" || this.#wantsAnotherPhoto(trouble)) return;
      this.#fail(trouble, async () => {
        this.#set({ view: "ready", message: "", stage: "sending", share: 0 });
        this.#send(photo, turn);
      });
    });
    this.#retry = async () => {
      this.#send(photo, turn);
      await this.start();
    };
  }

  /** @param {Promise<Prepared>} photo @param {number} turn @returns {Promise<string>} the photo's id */
  async #sent(photo, turn) {
    const { file, name, preview } = await photo;
    if (turn !== this.#turn) throw new this.Trouble("", { code: "aborted" });
    const told = (/** @type {number} */ share) => turn === this.#turn && this.#set({ share });
    const { id, retry_after: pause } = await this.api.uploadPhoto(file, name, told, this.#abort.signal);
    this.emit("photo-uploaded", { photo: id });
    if (preview) void this.photos.keep(id, preview);
    if (turn === this.#turn) this.#set({ stage: "queued", share: 1 });
    void this.#watchPhoto(id, pause, turn);
    return id;
  }

  /** @param {unknown} trouble */
  #failStart(trouble) {
    if (this.#wantsAnotherPhoto(trouble)) return;
    const upload = this.#retry;
    this.#fail(trouble, async () => {
      const sent = await this.#upload?.then(() => true, () => false);
      await (sent ? this.start() : upload());
    });
  }

  /** Look whether the photo is one, while its owner still looks at it: better said before the press than after. */
  async #watchPhoto(/** @type {string} */ id, /** @type {number | undefined} */ pause, /** @type {number} */ turn) {
    for (let look = 0; look < 20 && turn === this.#turn; look += 1) {
      await rest(pause ?? 1);
      if (turn !== this.#turn || this.state.view !== "ready") return;
      try {
        const photo = await this.api.photo(id);
        if (photo.status === "REJECTED" && turn === this.#turn && this.state.view === "ready") {
          this.#wantsAnotherPhoto(new this.Trouble(photo.error?.message || this.texts.server, { code: photo.error?.code, status: 422 }));
        }
        if (photo.status !== "QUEUED") return;
        pause = photo.retry_after;
      } catch (trouble) {
        if (!(trouble instanceof this.Trouble && trouble.passes)) return;
        pause = Math.max(2, trouble.retryAfter);
      }
    }
  }

  /** Wait for the picture: as often as the server says, for as long as it takes. @param {TryOn} tryOn @param {number} turn */
  async #watch(tryOn, turn) {
    // The answer to a start may say that it is done already, without the picture's address.
    let pause = tryOn.status === "COMPLETED" ? 0 : (tryOn.retry_after ?? 1);
    let looks = 0;
    let failures = 0;
    let mayHurry = true;
    while (turn === this.#turn) {
      if (tryOn.status === "COMPLETED" && tryOn.image_url) {
        this.#completed(tryOn.id, tryOn.image_url);
        return;
      }
      if (tryOn.status === "COMPLETED" && looks > 0) {
        this.lostPicture();
        return;
      }
      if (tryOn.status === "FAILED" || tryOn.status === "CANCELLED") {
        this.#ended(tryOn);
        return;
      }
      this.#set({ stage: tryOn.status === "PROCESSING" ? "making" : "queued" });
      if (pause > 0) await rest(pause, mayHurry);
      if (turn !== this.#turn) return;
      try {
        tryOn = await this.api.tryOn(tryOn.id);
        looks += 1;
        pause = Math.max(0.4, tryOn.retry_after ?? 1);
        failures = 0;
        mayHurry = true;
        if (this.state.isOffline) this.#set({ isOffline: false });
      } catch (trouble) {
        if (turn !== this.#turn) return;
        if (!(trouble instanceof this.Trouble && trouble.passes)) {
          this.memory.clear();
          if (trouble instanceof this.Trouble && trouble.status === 404) await this.check();
          else this.#fail(trouble, () => this.check());
          return;
        }
        failures += 1;
        pause = Math.max(trouble.retryAfter, Math.min(2 ** failures, 15));
        mayHurry = trouble.retryAfter === 0;
        if (trouble.status === 0) this.#set({ isOffline: true });
      }
    }
  }

  /** @param {string} id @param {string} imageUrl */
  #completed(id, imageUrl) {
    this.#set({ view: "result", imageUrl, isOffline: false });
    const known = this.memory.read();
    if (known?.tryOn === id && known.isDone) return;
    if (known) this.memory.write({ ...known, isDone: true });
    this.emit("completed", { tryOn: id, imageUrl });
  }

  /** @param {TryOn} tryOn */
  #ended(tryOn) {
    this.memory.clear();
    const { code = "cancelled", message = this.texts.cancelled, status = 409 } = tryOn.error ?? {};
    const trouble = new this.Trouble(message || this.texts.server, { code, status });
    if (this.#wantsAnotherPhoto(trouble)) return;
    this.#fail(trouble, () => (this.#upload ? this.start() : this.check()));
  }

  /** Back to choosing when the photo itself is the trouble. Returns whether it was. @param {unknown} trouble */
  #wantsAnotherPhoto(trouble) {
    if (!(trouble instanceof this.Trouble && PHOTO_STATUSES.has(trouble.status))) return false;
    this.#begin();
    this.photos.drop();
    this.emit("failed", { code: trouble.code, message: trouble.message });
    this.#set({ view: "photo", message: trouble.message, preview: null });
    return true;
  }

  /** @param {unknown} trouble @param {() => Promise<void>} retry */
  #fail(trouble, retry) {
    const known = trouble instanceof this.Trouble ? trouble : new this.Trouble(this.texts.server, { code: "script" });
    if (known.code === "aborted") return;
    if (known !== trouble) console.error(trouble);
    this.#retry = retry;
    this.emit("failed", { code: known.code, message: known.message });
    this.#set({ view: "problem", message: known.message, retryAt: known.retryAfter ? Date.now() + known.retryAfter * 1000 : 0 });
  }

  /** Give up what is under way. @returns {number} the new turn */
  #begin() {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#upload = null;
    this.#turn += 1;
    return this.#turn;
  }

  /** @param {Partial<State>} change */
  #set(change) {
    Object.assign(this.state, change);
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Wait; if we may hurry, no longer than until the network or the shopper is back.
 * @param {number} seconds
 * @param {boolean} [mayHurry]
 */
function rest(seconds, mayHurry = true) {
  return new Promise((resolve) => {
    const events = new AbortController();
    const wake = () => {
      clearTimeout(timer);
      events.abort();
      resolve(undefined);
    };
    const timer = setTimeout(wake, seconds * 1000);
    if (!mayHurry) return;
    window.addEventListener("online", wake, { signal: events.signal });
    document.addEventListener("visibilitychange", () => document.hidden || wake(), { signal: events.signal });
  });
}
