/**
 * What happens between the press on the button and the picture, without a word of HTML.
 *
 * A `Flow` holds one `State` and says so each time it changes. It goes on while the window is closed, and after a
 * reload it goes on with the try-on that was under way.
 *
 * @import { Api, Photo, TryOn, Trouble as TroubleType } from "./api.js"
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
   * @param {typeof import("./photo.js")} needs.photos
   * @param {typeof import("./watch.js")} needs.watch
   * @param {typeof TroubleType} needs.Trouble
   * @param {string} needs.product
   * @param {Record<string, string>} needs.texts
   * @param {Memory} needs.memory the try-on of this tab, over reloads
   * @param {Emit} needs.emit
   */
  constructor({ api, photos, watch, Trouble, product, texts, memory, emit }) {
    this.api = api;
    this.photos = photos;
    this.watch = watch;
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
      if (turn === this.#turn) void this.#follow(tryOn, turn);
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
    if (known.tryOn) void this.#follow({ id: known.tryOn, status: "QUEUED", retry_after: 0 }, turn);
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
        await this.#follow(found, turn);
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
    // Not broken off: of a photo that is on its way nobody could say whether it arrived.
    this.#abort = new AbortController();
    this.another();
    this.photos.drop();
    try {
      const id = await upload;
      if (id) await this.api.forgetPhoto(id);
    } catch (trouble) {
      // What was never sent needs no forgetting; what is left shows itself at the next look.
      if (trouble instanceof this.Trouble && trouble.passes && this.state.view === "photo") await this.check();
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
    const sent = await this.api.uploadPhoto(file, name, told, this.#abort.signal);
    this.emit("photo-uploaded", { photo: sent.id });
    if (turn === this.#turn) {
      if (preview) void this.photos.keep(sent.id, preview);
      this.#set({ stage: "queued", share: 1 });
      void this.#judge(sent, turn);
    }
    return sent.id;
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
  async #judge(/** @type {Photo} */ photo, /** @type {number} */ turn) {
    const isLookedAt = () => turn === this.#turn && this.state.view === "ready";
    const { status, error } = (await this.watch.untilJudged(this.api, photo, isLookedAt)) ?? {};
    if (status !== "REJECTED" || !isLookedAt()) return;
    this.#wantsAnotherPhoto(new this.Trouble(error?.message || this.texts.server, { code: error?.code, status: 422 }));
  }

  /** Wait for the picture. @param {TryOn} tryOn @param {number} turn */
  async #follow(tryOn, turn) {
    try {
      const isCurrent = () => turn === this.#turn;
      const over = await this.watch.untilOver(this.api, tryOn, isCurrent, (news) => isCurrent() && this.#set(news));
      if (!over || turn !== this.#turn) return;
      if (over.status !== "COMPLETED") this.#ended(over);
      else if (over.image_url) this.#completed(over.id, over.image_url);
      else this.lostPicture();
    } catch (trouble) {
      if (turn !== this.#turn) return;
      this.memory.clear();
      if (trouble instanceof this.Trouble && trouble.status === 404) await this.check();
      else this.#fail(trouble, () => this.check());
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
