/**
 * Makes a photo small enough to send, in the browser, and keeps a thumbnail of it for this tab.
 *
 * Previews are canvases, not images, so that a page whose Content-Security-Policy allows pictures from its own server
 * only shows them all the same.
 */

const LONGEST = 2048;
const THUMBNAIL = 480;
const QUALITY = 0.9;
const KEY = "genlook:photo";
/** What the server takes at most. */
export const MAX_BYTES = 10 * 1024 * 1024;

/**
 * @typedef {{file: Blob, name: string, preview: HTMLCanvasElement | null}} Prepared
 * @typedef {{id: string, picture: string}} Kept
 */

/** Whether a file claims to be something else than a photo; one that claims nothing may be one. @param {File} file */
export function isForeign(file) {
  return file.type !== "" && !file.type.startsWith("image/");
}

/**
 * Return the photo ready to send: a JPEG of at most 2,048 pixels, or the file as it is when this browser cannot decode
 * it (HEIC, in most), in which case there is no preview.
 *
 * @param {File} file
 * @returns {Promise<Prepared>}
 */
export async function prepare(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return { file, name: file.name || "photo", preview: null };
  }
  const canvas = draw(bitmap, LONGEST);
  bitmap.close();
  const jpeg = await encode(canvas);
  return { file: jpeg ?? file, name: "photo.jpg", preview: canvas };
}

/** Remember a small copy in this tab, to show it again on the next product. @param {string} id @param {HTMLCanvasElement} preview */
export async function keep(id, preview) {
  const jpeg = await encode(draw(preview, THUMBNAIL));
  if (!jpeg) return;
  const bytes = new Uint8Array(await jpeg.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ id, picture: btoa(binary) }));
  } catch {
    // Storage refused or full: words stand in for the thumbnail.
  }
}

/** Return the thumbnail of a photo sent from this tab. @param {string} id @returns {Promise<HTMLCanvasElement | null>} */
export async function recall(id) {
  try {
    /** @type {Kept | null} */
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (kept?.id !== id) return null;
    const bytes = Uint8Array.from(atob(kept.picture), (char) => char.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    return draw(bitmap, THUMBNAIL);
  } catch {
    return null;
  }
}

/** Drop the thumbnail. */
export function drop() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Storage refused: there is nothing to drop.
  }
}

/** @param {ImageBitmap | HTMLCanvasElement} source @param {number} longest @returns {HTMLCanvasElement} */
function draw(source, longest) {
  const scale = Math.min(1, longest / Math.max(source.width, source.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(source.width * scale));
  canvas.height = Math.max(1, Math.round(source.height * scale));
  const pen = canvas.getContext("2d");
  if (pen) {
    // JPEG has no transparency: without this, what is transparent turns black.
    pen.fillStyle = "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob | null>} */
function encode(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}
