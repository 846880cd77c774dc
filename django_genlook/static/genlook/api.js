/**
 * Speaks to the shop's own try-on API. Every failure becomes a `Trouble` with a sentence for the shopper.
 *
 * @typedef {{id: string, status: string, expires_at?: string | null, error?: Problem, retry_after?: number}} Photo
 * @typedef {{id: string, status: string, product?: string, created_at?: string, url?: string, image_url?: string,
 *    error?: Problem, retry_after?: number}} TryOn
 * @typedef {{code: string, message: string, status: number}} Problem
 * @typedef {{available: boolean, code?: string, message?: string, remaining?: number, csrf_token: string}} Offer
 */

const READ_MS = 20_000;
const SEND_MS = 120_000;

/** Something that keeps a shopper from the picture, in words made for shoppers. */
export class Trouble extends Error {
  /**
   * @param {string} message the sentence to show
   * @param {{code?: string, status?: number, retryAfter?: number}} [about] `status` is 0 when no answer came
   */
  constructor(message, { code = "network", status = 0, retryAfter = 0 } = {}) {
    super(message);
    this.name = "Trouble";
    this.code = code;
    this.status = status;
    /** Seconds to wait before asking again; 0 when nothing was said. */
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later: no answer, too many, or the server's fault. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export class Api {
  /**
   * @param {{product: string, photos: string, try_ons: string}} urls
   * @param {Record<string, string>} texts
   */
  constructor(urls, texts) {
    this.urls = urls;
    this.texts = texts;
    this.token = "";
  }

  /**
   * May this shopper try the product on now? Also fetches the token that every change needs.
   * @returns {Promise<Offer>}
   */
  async offer() {
    const offer = await this.#call("GET", this.urls.product);
    this.token = offer.csrf_token ?? "";
    return offer;
  }

  /** The photos that can be used again, newest first. @returns {Promise<Photo[]>} */
  async photos() {
    const answer = await this.#call("GET", this.urls.photos);
    /** @type {Photo[]} */
    const all = Array.isArray(answer) ? answer : (answer.results ?? []);
    return all.filter((photo) => photo.status === "READY" || photo.status === "QUEUED");
  }

  /** @param {string} id @returns {Promise<Photo>} */
  photo(id) {
    return this.#call("GET", `${this.urls.photos}${id}/`);
  }

  /** @param {string} id */
  forgetPhoto(id) {
    return this.#change("DELETE", `${this.urls.photos}${id}/`);
  }

  /** @param {string} product @param {string} photo @returns {Promise<TryOn>} */
  startTryOn(product, photo) {
    return this.#change("POST", this.urls.try_ons, { product, photo });
  }

  /** @param {string} id @returns {Promise<TryOn>} */
  tryOn(id) {
    return this.#call("GET", `${this.urls.try_ons}${id}/`);
  }

  /** This shopper's own, newest first. @returns {Promise<TryOn[]>} */
  async tryOns() {
    return (await this.#call("GET", this.urls.try_ons)).results ?? [];
  }

  /**
   * Send a photo whose owner has agreed. By XMLHttpRequest, since `fetch` cannot say how far an upload is.
   *
   * @param {Blob} picture
   * @param {string} name
   * @param {(share: number) => void} onProgress told 0 to 1
   * @param {AbortSignal} signal
   * @returns {Promise<Photo>}
   */
  async uploadPhoto(picture, name, onProgress, signal) {
    const send = () => {
      const form = new FormData();
      form.append("consent", "true");
      form.append("photo", picture, name);
      return this.#upload(form, onProgress, signal);
    };
    return this.#withFreshToken(send);
  }

  /** @param {string} method @param {string} url @param {unknown} [body] */
  #change(method, url, body) {
    return this.#withFreshToken(() => this.#call(method, url, body));
  }

  /**
   * Do it; when the token was refused (a login in another tab renews it), fetch a new one and do it once more.
   * @template T @param {() => Promise<T>} send @returns {Promise<T>}
   */
  async #withFreshToken(send) {
    try {
      return await send();
    } catch (trouble) {
      if (!(trouble instanceof Trouble) || trouble.status !== 403) throw trouble;
      await this.offer();
      try {
        return await send();
      } catch (again) {
        if (again instanceof Trouble && again.status === 403) {
          throw new Trouble(this.texts.cookies, { code: again.code, status: 403 });
        }
        throw again;
      }
    }
  }

  /**
   * @param {string} method @param {string} url @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async #call(method, url, body) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (method !== "GET") headers["X-CSRFToken"] = this.token;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    let text;
    try {
      response = await fetch(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(READ_MS),
      });
      text = await response.text();
    } catch {
      throw new Trouble(this.texts.network);
    }
    return this.#read(response.status, text, (name) => response.headers.get(name));
  }

  /** @param {FormData} form @param {(share: number) => void} onProgress @param {AbortSignal} signal @returns {Promise<Photo>} */
  #upload(form, onProgress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.urls.photos);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", this.token);
      request.timeout = SEND_MS;
      request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
      request.onload = () => {
        try {
          resolve(this.#read(request.status, request.responseText, (name) => request.getResponseHeader(name)));
        } catch (trouble) {
          reject(trouble);
        }
      };
      request.onerror = request.ontimeout = () => reject(new Trouble(this.texts.network));
      request.onabort = () => reject(new Trouble("", { code: "aborted" }));
      signal.addEventListener("abort", () => request.abort(), { once: true });
      request.send(form);
    });
  }

  /** @param {number} status @param {string} text @param {(name: string) => string | null} header @returns {any} */
  #read(status, text, header) {
    let data = null;
    try {
      data = text ? JSON.parse(text) : {};
    } catch {
      // A proxy's error page: its status says enough.
    }
    if (status >= 200 && status < 300 && data !== null) return data;
    throw new Trouble(typeof data?.message === "string" && data.message ? data.message : this.texts.server, {
      code: String(data?.code ?? "server"),
      status: status >= 200 && status < 300 ? 502 : status,
      retryAfter: secondsIn(header("Retry-After")),
    });
  }
}

/** Read a Retry-After header, which is a number of seconds or a date. @param {string | null} value */
function secondsIn(value) {
  if (!value) return 0;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 0), 3600) : 0;
}
