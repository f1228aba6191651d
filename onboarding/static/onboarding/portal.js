/* What a page cannot do alone: copying, the search key, and keeping focus where the reader left it. */
(() => {
  "use strict";

  const root = document.documentElement;
  root.classList.add("scripted");
  if (navigator.clipboard) root.classList.add("can-copy");

  /* Copying ------------------------------------------------------------- */
  const announcer = document.getElementById("announcer");

  /* Also told by the server, in the header HX-Trigger. */
  document.addEventListener("announce", (event) => announce(event.detail.value));

  const announce = (text) => {
    announcer.textContent = "";
    // An emptied region that is filled in the same frame is not read out again.
    requestAnimationFrame(() => { announcer.textContent = text; });
  };

  const textToCopy = (button) => {
    if (button.dataset.copy) return button.dataset.copy;
    const source = button.dataset.copyFrom
      ? document.getElementById(button.dataset.copyFrom)
      : button.closest("figure").querySelector("pre");
    const lines = source.querySelectorAll(".l:not(.gap, .del)");
    return lines.length ? Array.from(lines, (line) => line.textContent).join("") : source.value ?? source.textContent;
  };

  const showCopied = (button) => {
    const icon = button.querySelector("use");
    const before = icon?.getAttribute("href");
    icon?.setAttribute("href", before.replace(/#.*/, "#i-check"));
    setTimeout(() => icon?.setAttribute("href", before), 2000);
  };

  const tellServer = (url) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]");
    if (!token) return;
    fetch(url, { method: "POST", headers: { "X-CSRFToken": token.value }, keepalive: true });
  };

  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(textToCopy(button));
    } catch {
      announce(announcer.dataset.notCopied);
      return;
    }
    announce(announcer.dataset.copied);
    showCopied(button);
    if (button.dataset.copiedUrl) tellServer(button.dataset.copiedUrl);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (button) copy(button);
  });

  /* Printing --------------------------------------------------------------- */
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
  });

  /* What was taken from the page in another way than by a copy button. */
  document.addEventListener("taken", (event) => tellServer(event.detail.url));

  /* Choices that are kept as soon as they are made ------------------------ */
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && "savesItself" in form.dataset) form.requestSubmit();
  });

  /* Security keys: allauth's script tells here what the key did not do ----- */
  document.addEventListener("allauth.error", () => {
    for (const trouble of document.querySelectorAll("[data-webauthn-trouble]")) trouble.hidden = false;
  });

  /* A form that the server refused is sent once more as a page of its own, which says why ----- */
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.elt.matches("form[method=post]")) event.detail.elt.submit();
  });

  /* Search -------------------------------------------------------------- */
  const isTyping = (element) => element.matches("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const search = document.querySelector(".search input");
    if (!search) return;
    event.preventDefault();
    search.focus();
  });

  /* Focus --------------------------------------------------------------- */
  const focusErrors = (place) => place.querySelector(".errors")?.focus();
  focusErrors(document);

  let heldFocus = false;
  document.addEventListener("htmx:beforeSwap", (event) => {
    heldFocus = event.detail.target.contains(document.activeElement);
  });
  /* Rows that are answered anew: none in which somebody is typing, and focus stays on the same control. */
  const controlsOf = (row) => Array.from(row.querySelectorAll("a[href], button, input:not([type=hidden])"));
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const row = event.detail.target;
    if (!row.contains(document.activeElement)) return;
    if (document.activeElement.matches("[type=text]")) {
      event.detail.shouldSwap = false;
      return;
    }
    const at = controlsOf(row).indexOf(document.activeElement);
    queueMicrotask(() => {
      const controls = controlsOf(document.getElementById(row.id));
      controls[Math.min(at, controls.length - 1)].focus();
    });
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const fragment = event.detail.elt;
    if (fragment.querySelector(".errors")) {
      focusErrors(fragment);
    } else if (heldFocus && document.activeElement === document.body) {
      const heading = fragment.querySelector("h1, h2, h3") ?? fragment;
      heading.tabIndex = -1;
      heading.focus();
    }
    heldFocus = false;
  });
})();
