/** "My try-ons": asks the shop for this shopper's own pictures, and waits for those that are still being made. */

const gallery = /** @type {HTMLElement} */ (document.getElementById("gallery"));
const list = /** @type {HTMLElement} */ (gallery.querySelector(".pictures"));
const told = /** @type {HTMLElement} */ (gallery.querySelector(".told"));
const more = /** @type {HTMLButtonElement} */ (gallery.querySelector(".more-button"));
const empty = /** @type {HTMLElement} */ (gallery.querySelector(".empty"));
const template = /** @type {HTMLTemplateElement} */ (gallery.querySelector("template"));
const token = /** @type {HTMLInputElement} */ (gallery.querySelector("[name=csrfmiddlewaretoken]")).value;
/** @type {Record<string, {name: string, url: string}>} */
const products = JSON.parse(document.getElementById("products")?.textContent ?? "{}");
const url = gallery.dataset.url ?? "";

const FAILED = "This picture could not be made.";
const STATES = { QUEUED: "Waiting for its turn", PROCESSING: "Being made", FAILED, CANCELLED: "Cancelled" };

/** @param {string} address @param {string} [method] */
async function ask(address, method = "GET") {
  const response = await fetch(address, {
    method, credentials: "same-origin", cache: "no-store",
    headers: { Accept: "application/json", ...(method === "GET" ? {} : { "X-CSRFToken": token }) },
  });
  const data = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw Object.assign(new Error(data?.message ?? "The pictures could not be loaded."), { status: response.status });
  return data;
}

/** @param {any} tryOn */
function card(tryOn) {
  const item = /** @type {HTMLElement} */ (
    /** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild
  );
  const product = products[tryOn.product];
  const title = /** @type {HTMLAnchorElement} */ (item.querySelector(".title"));
  title.textContent = product?.name ?? "A garment we no longer have";
  if (product) title.href = product.url;
  const time = /** @type {HTMLTimeElement} */ (item.querySelector("time"));
  time.dateTime = tryOn.created_at;
  time.textContent = new Date(tryOn.created_at).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
  const remove = /** @type {HTMLButtonElement} */ (item.querySelector(".remove"));
  remove.setAttribute("aria-label", `Delete the picture of ${title.textContent}`);
  remove.addEventListener("click", () => void take(item, tryOn.id, remove));
  fill(item, tryOn);
  return item;
}

/** @param {HTMLElement} item @param {any} tryOn */
function fill(item, tryOn) {
  const frame = /** @type {HTMLAnchorElement} */ (item.querySelector(".frame"));
  const image = /** @type {HTMLImageElement} */ (item.querySelector("img"));
  const state = /** @type {HTMLElement} */ (item.querySelector(".state"));
  item.dataset.status = tryOn.status;
  image.hidden = !tryOn.image_url;
  if (tryOn.image_url) {
    const name = item.querySelector(".title")?.textContent;
    image.src = frame.href = tryOn.image_url;
    image.alt = `The person in your photo, wearing: ${name}. Opens the whole picture.`;
  }
  const words = tryOn.error?.message ?? STATES[/** @type {keyof STATES} */ (tryOn.status)] ?? "";
  state.textContent = tryOn.image_url ? "" : words || "This picture is gone.";
  if (tryOn.status === "QUEUED" || tryOn.status === "PROCESSING") void wait(item, tryOn);
}

/** @param {HTMLElement} item @param {any} tryOn */
async function wait(item, tryOn) {
  await new Promise((resolve) => setTimeout(resolve, 1000 * (tryOn.retry_after ?? 2)));
  if (!item.isConnected) return;
  try {
    const now = await ask(`${url}${tryOn.id}/`);
    fill(item, now);
    if (now.image_url) told.textContent = "A picture is ready.";
  } catch {
    void wait(item, { ...tryOn, retry_after: 5 });
  }
}

/** @param {HTMLElement} item @param {string} id @param {HTMLButtonElement} button */
async function take(item, id, button) {
  button.disabled = true;
  try {
    await ask(`${url}${id}/`, "DELETE");
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    told.textContent = "Deleted.";
    empty.hidden = list.childElementCount > 0;
    /** @type {HTMLElement | null} */ (next?.querySelector(".remove") ?? empty.querySelector("a"))?.focus();
  } catch {
    button.disabled = false;
    told.textContent = "That could not be deleted just now. Please try again.";
  }
}

/** @param {string} address */
async function load(address) {
  more.hidden = true;
  try {
    const page = await ask(address);
    list.append(...page.results.map(card));
    empty.hidden = list.childElementCount > 0;
    more.hidden = !page.next;
    more.onclick = () => void load(page.next);
    told.textContent = "";
  } catch {
    told.textContent = "Your pictures could not be loaded. Please check your connection.";
    more.hidden = false;
    more.onclick = () => void load(address);
  } finally {
    gallery.removeAttribute("aria-busy");
  }
}

void load(url);
