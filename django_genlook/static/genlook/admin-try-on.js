// Shows what the chosen try-ons cost while they are being chosen; without it the server says so before it starts them.

const form = document.getElementById("gl-try-on");

function show() {
  const chosen = (name) => form.querySelectorAll(`input[name="${name}"]:checked`).length;
  const price = chosen("products") * chosen("photos");
  form.elements.price.value = price;
  form.querySelector("[data-price]").textContent = price;
}

if (form) {
  form.addEventListener("change", show);
  // A page restored from the browser's history has other boxes ticked than it was sent with.
  window.addEventListener("pageshow", show);
}
