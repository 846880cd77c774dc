/**
 * Waits for what the server is doing: as often as it says, for as long as it takes, through lost connections.
 *
 * @import { Api, Photo, TryOn, Trouble } from "./api.js"
 */

/** How often a photo is looked at before its owner's press on the button settles it anyway. */
const LOOKS_AT_PHOTO = 20;

/**
 * Return the try-on when it is over, or null when `isCurrent` says that nobody waits any more.
 *
 * @param {Api} api
 * @param {TryOn} tryOn as it was told last
 * @param {() => boolean} isCurrent
 * @param {(news: {stage?: "queued" | "making", isOffline?: boolean}) => void} told
 * @returns {Promise<TryOn | null>} throws a `Trouble` that does not pass
 */
export async function untilOver(api, tryOn, isCurrent, told) {
  // The answer to a start may say that it is done already, without the picture's address.
  let pause = isDone(tryOn) ? 0 : (tryOn.retry_after ?? 1);
  let failures = 0;
  let mayHurry = true;
  while (isCurrent()) {
    told({ stage: tryOn.status === "PROCESSING" ? "making" : "queued" });
    if (pause > 0) await rest(pause, mayHurry);
    if (!isCurrent()) return null;
    try {
      tryOn = await api.tryOn(tryOn.id);
      told({ isOffline: false });
      if (isDone(tryOn)) return tryOn;
      pause = Math.max(0.4, tryOn.retry_after ?? 1);
      failures = 0;
      mayHurry = true;
    } catch (error) {
      const trouble = /** @type {Trouble} */ (error);
      if (!trouble.passes) throw trouble;
      failures += 1;
      pause = Math.max(trouble.retryAfter, Math.min(2 ** failures, 15));
      mayHurry = trouble.retryAfter === 0;
      if (trouble.status === 0) told({ isOffline: true });
    }
  }
  return null;
}

/**
 * Return the photo when the server has looked at it, or null when nobody waits any more or it takes too long.
 *
 * @param {Api} api
 * @param {Photo} photo as it was told last
 * @param {() => boolean} isCurrent
 * @returns {Promise<Photo | null>}
 */
export async function untilJudged(api, photo, isCurrent) {
  let pause = photo.retry_after ?? 1;
  for (let look = 0; look < LOOKS_AT_PHOTO; look += 1) {
    await rest(pause, pause <= 1);
    if (!isCurrent()) return null;
    try {
      photo = await api.photo(photo.id);
      if (photo.status !== "QUEUED") return photo;
      pause = photo.retry_after ?? 1;
    } catch (error) {
      const trouble = /** @type {Trouble} */ (error);
      if (!trouble.passes) return null;
      pause = Math.max(2, trouble.retryAfter);
    }
  }
  return null;
}

/** @param {TryOn} tryOn */
function isDone({ status }) {
  return status === "COMPLETED" || status === "FAILED" || status === "CANCELLED";
}

/**
 * Wait; if we may hurry, no longer than until the network or the shopper is back.
 * @param {number} seconds
 * @param {boolean} mayHurry
 */
function rest(seconds, mayHurry) {
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
